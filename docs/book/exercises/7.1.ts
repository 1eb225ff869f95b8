/**
 * How many parameters the network has in its 3×3 convolutions of one stage: two convolutions, from `input` to `output`
 * channels and from `output` to `output`, each with a bias per output channel.
 */
export function stageParameters(input: number, output: number): number {
  return 9 * input * output + output + 9 * output * output + output;
}
