import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSafetensors, Tensor, writeSafetensors, zeros } from "@saunet/core";
import { readWeights } from "@saunet/model";
import { expect, it } from "vitest";
import { root, saunet } from "../testing.ts";

/** A file of PyTorch's whose network takes one channel. Its last filter is 0, so that its answer is the bias everywhere. */
async function greyNetwork(): Promise<Uint8Array> {
  const bytes = await readFile(join(root, "fixtures/files/torch/sa-unet-v2.safetensors"));
  const { tensors, metadata } = readSafetensors(bytes);
  const answer = zeros([1, 1, 16, 24]);
  answer.data.fill(tensors["head.bias"].data[0]);
  const filter = "encoders.0.0.conv.weight";
  const grey = {
    ...tensors,
    [filter]: new Tensor(tensors[filter].data.slice(0, 8 * 9), [8, 1, 3, 3]),
    "head.weight": zeros([1, 8, 1, 1]),
    "saunet.example": zeros([1, 1, 16, 24]),
    "saunet.answer": answer,
  };
  return writeSafetensors(grey, metadata);
}

it("saunet import says of a network for grey pictures what it is good for", async () => {
  const here = await mkdtemp(join(tmpdir(), "saunet-import-grey-"));
  try {
    await writeFile(join(here, "grey.safetensors"), await greyNetwork());
    const { code, out, err } = await saunet(here, ["import", "grey.safetensors", "-o", "own.safetensors"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out.trimEnd().split("\n").at(-1)).toBe(
      "The network takes 1 channels, not the 3 of a photograph: it can be exported, but not segment",
    );
    expect(readWeights(await readFile(join(here, "own.safetensors"))).config.inputChannels).toBe(1);
    // Of one for colours there is nothing to say.
    const colours = join(root, "fixtures/files/torch/sa-unet-v2.safetensors");
    expect((await saunet(here, ["import", colours, "-o", "own.safetensors"])).out).not.toContain(
      "channels, not",
    );
  } finally {
    await rm(here, { recursive: true });
  }
});
