// What the HDF5 library meets in its worker: a console that keeps its complaints, and a memory that ends. A worker
// imports this first, since the library looks at its surroundings when it loads.

const MAX_HEAP_BYTES = 2 ** 29;

/** The library traces every failure on the console, innermost call last, which is what tells the reason. */
let trace = "";
console.error = (...words) => {
  trace += `${words.join(" ")}\n`;
};

/** What was traced since the last time. */
export function takeTrace() {
  const taken = trace;
  trace = "";
  return taken;
}

// Growth beyond the limit fails as on a host without memory, which the library reports as an error.
const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength + pages * 65536 > MAX_HEAP_BYTES) throw new RangeError("out of memory");
  return grow.call(this, pages);
};
