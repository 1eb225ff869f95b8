// The family of networks, told by a few choices. SA-UNetv2 (Guo, Christensen, Dahl, Yi and Hannemose, arXiv
// 2509.11774) differs from SA-UNet (Guo et al., ICPR 2020) and from the plain U-Net (Ronneberger et al., MICCAI 2015)
// in what is written here and nothing else, so every row of the paper's ablation table is one of these records.

/** How a skip connection is gated before it meets the decoder. */
export type SkipAttention = "none" | "spatial" | "cross-scale";

/** How filters start before training. */
export type Initializer = "he-normal" | "glorot-uniform";

/** Everything that tells one network of the family from another. */
export interface NetworkConfig {
  readonly name: string;
  /** 3 for RGB. */
  readonly inputChannels: number;
  /** Channels of the encoder's stages, outermost first; the last is the bottleneck. */
  readonly channels: readonly number[];
  readonly normalization: "none" | "batch" | "group";
  /** Groups of the group normalisation. */
  readonly groups: number;
  readonly activation: "relu" | "silu";
  /** Share of each feature map that DropBlock takes away in training, in squares of `size` pixels. */
  readonly dropBlock: { readonly rate: number; readonly size: number };
  /** Whether spatial attention stands between the two units of the bottleneck. */
  readonly bottleneckAttention: boolean;
  readonly skipAttention: SkipAttention;
  /** What the normalisation adds to variances; default: Keras's 1e-3. PyTorch adds 1e-5. */
  readonly epsilon?: number;
  /**
   * How many rows and columns the transposed convolutions cut away before their result (stride 2 makes 2n + 1 of n,
   * one too many): 0, the default, as Keras does it; 1 is PyTorch's `padding=1, output_padding=1`.
   */
  readonly transposedPadding?: 0 | 1;
  /**
   * How the filters of convolutions and transposed convolutions start; attention starts He normal everywhere. When left
   * out, as in SA-UNetv2: He normal, and Keras's default (Glorot uniform) where transposed.
   */
  readonly initializers?: { readonly convolution: Initializer; readonly transposed: Initializer };
  /**
   * Names of the classes that the network tells apart, the background first: it has a logit for each, and their softmax
   * are the probabilities. When left out, one logit says vessel or not. See {@link withClasses}.
   */
  readonly classes?: readonly string[];
}

/** SA-UNetv2: 260,521 parameters. */
export const saUNetV2: NetworkConfig = {
  name: "sa-unet-v2",
  inputChannels: 3,
  channels: [16, 32, 48, 64],
  normalization: "group",
  groups: 8,
  activation: "silu",
  dropBlock: { rate: 0.15, size: 7 },
  bottleneckAttention: true,
  skipAttention: "cross-scale",
};

/**
 * SA-UNet, the first version: batch normalisation, ReLU, plain skips; 538,707 parameters. Keeps 0.82 in DropBlock. Its
 * authors' code leaves all filters but that of the attention to Keras's default start.
 */
export const saUNet: NetworkConfig = {
  ...saUNetV2,
  name: "sa-unet",
  channels: [16, 32, 64, 128],
  normalization: "batch",
  activation: "relu",
  dropBlock: { rate: 0.18, size: 7 },
  skipAttention: "none",
  initializers: { convolution: "glorot-uniform", transposed: "glorot-uniform" },
};

/** The U-Net beneath both: no attention. */
export const uNet: NetworkConfig = { ...saUNet, name: "u-net", bottleneckAttention: false };

/** The rows of the paper's ablation table, in its order: each adds one thing to the row before. */
export const ablation: readonly NetworkConfig[] = [
  saUNet,
  {
    ...saUNet,
    name: "sa-unet+gn+silu",
    normalization: "group",
    activation: "silu",
    initializers: { convolution: "he-normal", transposed: "he-normal" },
  },
  { ...saUNetV2, name: "sa-unet+gn+silu+channels", skipAttention: "none" },
  { ...saUNetV2, name: "sa-unet+gn+silu+channels+sa", skipAttention: "spatial" },
  saUNetV2,
];

/** The named networks. */
export const networks: Readonly<Record<string, NetworkConfig>> = Object.fromEntries(
  [saUNetV2, saUNet, uNet, ...ablation].map((config) => [config.name, config]),
);

/** How the class of whatever is none of the others is called; its number is 0. */
export const BACKGROUND = "background";

/** A map of classes has one byte a pixel. */
const MOST_CLASSES = 256;

/**
 * The same network with a logit for the background and for each of these classes.
 *
 * @param names one to 255 names, all different, without the background
 * @throws RangeError where they are none, too many, equal or no names
 * @example
 * console.log(withClasses(saUNetV2, ["artery", "vein"]).classes); // [ 'background', 'artery', 'vein' ]
 */
export function withClasses(config: NetworkConfig, names: readonly string[]): NetworkConfig {
  const classes = [BACKGROUND, ...names];
  if (areClasses(classes)) return { ...config, classes };
  throw new RangeError(
    `withClasses: names must be 1 to ${MOST_CLASSES - 1} different names, none of them ${BACKGROUND}, but are ${JSON.stringify(names)}`,
  );
}

/**
 * Whether a value is a list of classes: 2 to 256 different names, the background first.
 *
 * @example
 * console.log(areClasses(["background", "artery", "vein"]), areClasses(["artery", "vein"])); // true false
 */
export function areClasses(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length >= 2 &&
    value.length <= MOST_CLASSES &&
    value[0] === BACKGROUND &&
    value.every((name) => typeof name === "string" && /^[^\p{C},]{1,100}$/u.test(name)) &&
    new Set(value).size === value.length
  );
}

/**
 * How many logits a network has for each pixel: one for each class, or one in all.
 *
 * @example
 * console.log(outputChannels(saUNetV2), outputChannels(withClasses(saUNetV2, ["artery", "vein"]))); // 1 3
 */
export function outputChannels({ classes }: NetworkConfig): number {
  return classes?.length ?? 1;
}

/**
 * How many times the encoder halves the picture.
 *
 * @example
 * console.log(depthOf(saUNetV2)); // 3
 */
export function depthOf(config: NetworkConfig): number {
  return config.channels.length - 1;
}

/**
 * Height and width must be multiples of this: 8 for three poolings.
 *
 * @example
 * console.log(sizeMultiple(saUNetV2)); // 8
 */
export function sizeMultiple(config: NetworkConfig): number {
  return 2 ** depthOf(config);
}
