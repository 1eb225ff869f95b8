// The attempts in the order in which they are to be read.

import { naive } from "./01-naive.ts";
import { loopOrder } from "./02-loop-order.ts";
import { blocked } from "./03-blocked.ts";
import { doubles } from "./04-doubles.ts";
import { im2col } from "./05-im2col.ts";
import { registerTile } from "./06-register-tile.ts";
import { winograd2 } from "./07-winograd-2.ts";
import { winograd4 } from "./08-winograd-4.ts";
import { portable } from "./09-portable.ts";
import type { Attempt } from "./attempt.ts";

export const attempts: readonly Attempt[] = [
  naive,
  loopOrder,
  blocked,
  doubles,
  im2col,
  registerTile,
  winograd2,
  winograd4,
  portable,
];
