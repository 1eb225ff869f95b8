// What the layers are called and where their code stands.

/** A layer's name in words. */
export function nameOf(id: string): string {
  const [stage, part] = id.split(".");
  if (stage === "head") return "Head";
  const words = stage.replace(/(\d)$/, " $1");
  const place = words[0].toUpperCase() + words.slice(1);
  const parts: Readonly<Record<string, string>> = {
    conv1: "unit 1",
    conv2: "unit 2",
    up: "enlarged",
    attention: "attention",
  };
  return `${place}, ${parts[part]}`;
}

/** What a layer does, in a sentence. */
export function deedOf(id: string): string {
  if (id === "head")
    return "A 1 × 1 convolution adds all channels up; the sigmoid of the sum is the probability.";
  if (id === "bottleneck.attention") {
    return "Mean and maximum over the channels, a 7 × 7 filter and a sigmoid make one map; it multiplies every channel.";
  }
  if (id.endsWith(".attention")) {
    return "The mean of the encoder's channels and the mean of the decoder's meet in a 7 × 7 filter. The sigmoid is the gate: it multiplies the encoder's channels before they are joined.";
  }
  if (id.endsWith(".up")) return "A transposed 3 × 3 convolution with stride 2 doubles width and height.";
  return "A 3 × 3 convolution, group normalisation and SiLU.";
}

/** The lines of network.ts that compute a layer. */
export function linesOf(id: string): RegExp {
  if (id === "head") return /return conv2d\(/;
  if (id === "bottleneck.attention") return /spatialAttention\(f,/;
  if (id.endsWith(".attention")) return /crossScaleAttention\(skip/;
  if (id.endsWith(".up")) return /const up = /;
  const unit = /const unit|let g = conv2d|g = normalize\(|return config\.activation/;
  const calls: Readonly<Record<string, string>> = {
    encoder: "f = unit\\(unit\\(f, `encoder",
    bottleneck: `unit\\(f, "bottleneck", ${id.endsWith("1") ? 1 : 2}\\)`,
    decoder: "f = unit\\(unit\\(concat",
  };
  return new RegExp(`${unit.source}|${calls[id.replace(/\d?\..*$/, "")]}`);
}
