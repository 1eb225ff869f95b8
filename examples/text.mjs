// Learning a poem by heart, character by character: embeddings, one layer of attention and a dense one, from `gather`,
// `matmul` and `softmax`. It names more than 95 of 100 characters from the 24 before, then it recites from the first line.
//
//   npm run build && node examples/text.mjs

import {
  adam,
  add,
  argmax,
  backward,
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
  softmax,
  softmaxCrossEntropy,
  Tensor,
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

/** Windows of the text that begin at some places, and the same one character further. */
function windows(starts, further) {
  const rows = starts.map((start) => Array.from({ length: LENGTH }, (_, i) => numbers[start + i + further]));
  return tensor(rows);
}

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
const count = numbers.length - LENGTH;
for (let n = 1; n <= 400; n++) {
  const starts = Array.from({ length: BATCH }, (_, i) => (n * 61 + i * 13) % count);
  const [loss] = step([windows(starts, 0), windows(starts, 1)]);
  if (n % 100 === 0) console.log(`step ${n}: loss ${loss.item().toFixed(3)}`);
}

/** How often the character behind a whole window is the right one. */
export const accuracy = noGrad(() => {
  const starts = Array.from({ length: count }, (_, start) => start);
  const guesses = argmax(logits(windows(starts, 0)));
  const last = new Tensor(
    guesses.data.filter((_, i) => i % LENGTH === LENGTH - 1),
    [count],
  );
  return mean(equal(last, tensor(starts.map((start) => numbers[start + LENGTH])))).item();
});

let recited = TEXT.slice(0, LENGTH);
while (recited.length < TEXT.length) {
  const seen = [...recited.slice(-LENGTH)].map((letter) => letters.indexOf(letter));
  const guesses = noGrad(() => argmax(logits(tensor([seen]))));
  recited += letters[guesses.data[LENGTH - 1]];
}
console.log(`accuracy ${accuracy.toFixed(3)}\n\n${recited}`);
