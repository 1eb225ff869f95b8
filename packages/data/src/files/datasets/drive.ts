// DRIVE (Staal et al., IEEE Transactions on Medical Imaging 23(4), 2004): 40 photographs of 565 x 584, masks of the field
// of view, 20 to train on (21 … 40, one observer) and 20 to test on (01 … 20, two observers).

import { numbers, officialFiles } from "./official.ts";
import type { SampleFiles, Split } from "./sample.ts";

const PARTS = {
  training: numbers(21, 40, 2),
  test: numbers(1, 20, 2),
} as const;

const LAYOUT =
  "DRIVE is one folder with training/images/21_training.tif …, training/1st_manual/21_manual1.gif …, " +
  "training/mask/21_training_mask.gif … and test/images/01_test.tif …, test/1st_manual/01_manual1.gif …, " +
  "test/2nd_manual/01_manual2.gif …, test/mask/01_test_mask.gif …; drive.grand-challenge.org gives it out after " +
  "registration, in some versions without the labels of the test images";

/** The files of DRIVE in a folder. */
export async function driveFiles(directory: string, split: Split): Promise<SampleFiles[]> {
  const parts = { train: ["training"], test: ["test"], all: ["training", "test"] } as const;
  const kinds = ["images", "1st_manual", "2nd_manual", "mask"];
  const folders = parts[split].flatMap((part) => kinds.map((kind) => `${part}/${kind}`));
  const files = await officialFiles(directory, folders, LAYOUT);
  const samples = parts[split].flatMap((part) =>
    PARTS[part].map((number) => ({
      id: `${number}_${part}`,
      image: files.required(`${part}/images/${number}_${part}.tif`),
      vessels: {
        "1st_manual": files.required(`${part}/1st_manual/${number}_manual1.gif`),
        "2nd_manual": files.optional(`${part}/2nd_manual/${number}_manual2.gif`),
      },
      fieldOfView: files.required(`${part}/mask/${number}_${part}_mask.gif`),
    })),
  );
  files.expectComplete();
  return samples;
}
