// What the tests of pictures share.

/** An `ImageData`, which Node has not. */
export class Picture {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  constructor(data: Uint8ClampedArray, width: number, height: number) {
    [this.data, this.width, this.height] = [data, width, height];
  }
}

/** One that is made by its size alone. */
export class ClearPicture extends Picture {
  constructor(width: number, height: number) {
    super(new Uint8ClampedArray(4 * width * height), width, height);
  }
}
