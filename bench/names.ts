// Names that more than one part of the bench knows.

/** The contender that all outputs are compared with; it always takes part. */
export const REFERENCE = "saunet-typescript";

/** The contender whose times the ratios are taken against; it always takes part. */
export const OURS = "saunet";

/** Whether a row of any bench is of this engine. */
export const isOurs = (name: string): boolean => /saunet|accelerated/.test(name);
