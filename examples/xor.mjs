// The first thing to learn: XOR, which no straight line separates.
//
//   npm run build && node examples/xor.mjs

import {
  adam,
  backward,
  dense,
  equal,
  glorotUniform,
  greater,
  mean,
  parameter,
  randomState,
  sigmoidCrossEntropy,
  tanh,
  tensor,
  zeros,
} from "@saunet/core";

const x = tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
const target = tensor([[0], [1], [1], [0]]);

const random = randomState(1);
const network = {
  hidden: parameter(glorotUniform([2, 8], random)),
  hiddenBias: parameter(zeros([8])),
  out: parameter(glorotUniform([8, 1], random)),
  outBias: parameter(zeros([1])),
};
const logits = () => {
  const h = tanh(dense(x, network.hidden, network.hiddenBias));
  return dense(h, network.out, network.outBias);
};

const optimizer = adam(network, { learningRate: 0.05 });
for (let step = 1; step <= 200; step++) {
  const loss = mean(sigmoidCrossEntropy(logits(), target));
  backward(loss);
  optimizer.step();
  if (step % 50 === 0) console.log(`step ${step}: loss ${loss.item().toFixed(4)}`);
}

const answers = greater(logits(), 0);
export const accuracy = mean(equal(answers, target)).item();
console.log(`answers ${answers.toArray()}, accuracy ${accuracy}`);
