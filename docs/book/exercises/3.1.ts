/**
 * One output of a 3×3 convolution of one channel: the window whose *upper left* pixel is at `row`, `column` of a picture
 * (`picture[row][column]`), times the filter (`filter[i][j]`), summed.
 */
export function windowSum(picture: number[][], filter: number[][], row: number, column: number): number {
  let sum = 0;
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) sum += picture[row + i][column + j] * filter[i][j];
  return sum;
}
