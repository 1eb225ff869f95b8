// Why weights that were opened are not in use: in each tab that shows their network.

import { weightsRefusal } from "./queue.ts";

export function WeightsRefusal() {
  return (
    weightsRefusal.value && (
      <p class="notice" role="alert">
        {weightsRefusal.value}
      </p>
    )
  );
}
