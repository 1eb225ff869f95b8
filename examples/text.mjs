// Learning a poem by heart, character by character: embeddings, one layer of attention and a dense one, from `gather`,
// `matmul` and `softmax`. It names more than 95 of 100 characters from the 24 before, then it recites from the first line.
//
//   npm run build && node examples/text.mjs

import {
  adam,
  add,
  argmax,
  backward,
  batches,
  capture,
  dense,
  equal,
  gather,
  gelu,
  layerNorm,
  matmul,
  mean,
  mul,
  noGrad,
  normal,
  ones,
  parameter,
  prepare,
  randomState,
  reshape,
  slice,
  softmax,
  softmaxCrossEntropy,
  tensor,
  transpose,
  where,
  zeros,
} from "@saunet/core";

// Jane Taylor, The Star, 1806.
const TEXT = `Twinkle, twinkle, little star,
How I wonder what you are!
Up above the world so high,
Like a diamond in the sky.
When the blazing sun is gone,
When he nothing shines upon,
Then you show your little light,
Twinkle, twinkle, all the night.
`;
const letters = [...new Set(TEXT)].sort();
const numbers = [...TEXT].map((letter) => letters.indexOf(letter));

/** Characters that are seen at once, width of the network, heads of attention. */
const [LENGTH, WIDTH, HEADS] = [24, 32, 4];
const DEPTH = WIDTH / HEADS;

const random = randomState(3);
const learned = (shape, deviation) => parameter(normal(shape, random, { deviation }));
const square = (size = WIDTH) => learned([WIDTH, size], WIDTH ** -0.5);
const p = {
  ...{ letters: learned([letters.length, WIDTH], 0.5), places: learned([LENGTH, WIDTH], 0.5) },
  ...{ query: square(), key: square(), value: square(), mix: square() },
  ...{ gamma1: parameter(ones([WIDTH])), beta1: parameter(zeros([WIDTH])) },
  ...{ wide: square(4 * WIDTH), narrow: learned([4 * WIDTH, WIDTH], (4 * WIDTH) ** -0.5) },
  ...{ gamma2: parameter(ones([WIDTH])), beta2: parameter(zeros([WIDTH])) },
  ...{ out: square(letters.length) },
};
/** 1 where a character may look at another: at those before it, and at itself. */
const mayLook = tensor(
  Array.from({ length: LENGTH }, (_, i) => Array.from({ length: LENGTH }, (_, j) => (j <= i ? 1 : 0))),
);

/** `[N,LENGTH,WIDTH]` as `[N,HEADS,LENGTH,DEPTH]`. */
const inHeads = (x) => transpose(reshape(x, [-1, LENGTH, HEADS, DEPTH]), [0, 2, 1, 3]);

function attention(x) {
  const [query, key, value] = [p.query, p.key, p.value].map((weights) => inHeads(dense(x, weights)));
  const scores = mul(matmul(query, key, { transposeB: true }), DEPTH ** -0.5);
  const shares = softmax(where(mayLook, scores, Number.NEGATIVE_INFINITY));
  const heads = transpose(matmul(shares, value), [0, 2, 1, 3]);
  return dense(reshape(heads, [-1, LENGTH, WIDTH]), p.mix);
}

/** For every place the logits of the character that comes next, `[N,LENGTH,letters]`. */
function logits(characters) {
  let x = add(gather(p.letters, characters), p.places);
  x = add(x, attention(layerNorm(x, p.gamma1, p.beta1)));
  x = add(x, dense(gelu(dense(layerNorm(x, p.gamma2, p.beta2), p.wide)), p.narrow));
  return dense(x, p.out);
}

/** Every window of the text, and the same one character further. */
const count = numbers.length - LENGTH;
const windows = (first) =>
  tensor(Array.from({ length: count }, (_, start) => numbers.slice(first + start, first + start + LENGTH)));
const text = { characters: windows(0), next: windows(1) };

const BATCH = 16;
const optimizer = adam(p, { learningRate: 3e-3 });
// One step as a program: planned once, run many times.
const { runSync: step } = prepare(
  capture(
    ([characters, next]) => {
      const loss = mean(softmaxCrossEntropy(logits(characters), next));
      backward(loss);
      optimizer.step();
      return [loss];
    },
    [zeros([BATCH, LENGTH]), zeros([BATCH, LENGTH])],
  ),
);
for (let epoch = 1; epoch <= 28; epoch++) {
  const options = { size: BATCH, shuffle: true, seed: epoch, dropLast: true };
  let loss;
  for await (const { characters, next } of batches(text, options)) [loss] = step([characters, next]);
  if (epoch % 7 === 0) console.log(`epoch ${epoch}: loss ${loss.item().toFixed(3)}`);
}

/** How often the character after a whole window is the right one. */
export const accuracy = noGrad(() => {
  const isRight = equal(argmax(logits(text.characters)), text.next);
  return mean(slice(isRight, [0, LENGTH - 1], [count, 1])).item();
});

let recited = TEXT.slice(0, LENGTH);
while (recited.length < TEXT.length) {
  const seen = [...recited.slice(-LENGTH)].map((letter) => letters.indexOf(letter));
  const guesses = noGrad(() => argmax(logits(tensor([seen]))));
  recited += letters[guesses.data[LENGTH - 1]];
}
console.log(`accuracy ${accuracy.toFixed(3)}\n\n${recited}`);
