// The part of dcmjs that is used here; it has no types of its own.

declare module "dcmjs" {
  /** Elements by tag, as in the DICOM JSON model. */
  type Elements = Record<string, { readonly vr: string; readonly Value?: unknown }>;
  class DicomDict {
    constructor(meta: Elements);
    readonly meta: Elements;
    dict: Elements;
    write(options?: object): ArrayBuffer;
  }
  const dcmjs: {
    readonly data: {
      readonly DicomDict: typeof DicomDict;
      readonly DicomMessage: { readFile(buffer: ArrayBuffer, options?: object): DicomDict };
      readonly DicomMetaDictionary: {
        naturalizeDataset(elements: Elements): Record<string, unknown>;
        denaturalizeDataset(dataset: Record<string, unknown>): Elements;
      };
    };
    readonly log: {
      setLevel(level: string, persist?: boolean): void;
      getLogger(name: string): { setLevel(level: string, persist?: boolean): void };
    };
  };
  export default dcmjs;
}
