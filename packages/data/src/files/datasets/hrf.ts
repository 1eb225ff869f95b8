// HRF, the High-Resolution Fundus set (Budai et al., International Journal of Biomedical Imaging, 2013): 15 healthy eyes,
// 15 with diabetic retinopathy and 15 with glaucoma, 3504 x 2336, one observer, masks of the field of view. The first
// five of each group train, the other ten test, as in the literature.

import { numbers, officialFiles } from "./official.ts";
import type { SampleFiles, Split } from "./sample.ts";

const GROUPS = ["dr", "g", "h"];
const TRAINING = 5;

const LAYOUT =
  "HRF is one folder with images/01_dr.JPG, images/01_g.jpg, images/01_h.jpg … images/15_h.jpg, manual1/01_dr.tif … and " +
  "mask/01_dr_mask.tif …; the Pattern Recognition Lab of the Friedrich-Alexander-Universität gives it out on its " +
  "High-Resolution Fundus page";

/** The files of HRF in a folder. */
export async function hrfFiles(directory: string, split: Split): Promise<SampleFiles[]> {
  const [first, last] = { train: [1, TRAINING], test: [TRAINING + 1, 15], all: [1, 15] }[split];
  const ids = numbers(first, last, 2).flatMap((number) => GROUPS.map((group) => `${number}_${group}`));
  const files = await officialFiles(directory, ["images", "manual1", "mask"], LAYOUT);
  const samples = ids.map((id) => ({
    id,
    image: files.required(`images/${id}.jpg`),
    vessels: { manual1: files.required(`manual1/${id}.tif`) },
    fieldOfView: files.required(`mask/${id}_mask.tif`),
  }));
  files.expectComplete();
  return samples;
}
