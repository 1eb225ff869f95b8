// `npm start` segments the built-in picture, `npm start -- photo.jpg …` the user's own.

process.argv.splice(2, 0, "segment");
await import("./saunet.mjs");
