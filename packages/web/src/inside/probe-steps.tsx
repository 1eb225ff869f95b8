// The steps before and after the convolution, each with its numbers.

import type { ComponentChildren } from "preact";
import { operand, signed } from "../ui/format.ts";
import { inputName, nameOf } from "./names.ts";
import type { Normalized, Probe } from "./probe.ts";
import type { Source } from "./sources.ts";

/** What the number of the patch that weighs most is made of. */
export function OriginStep({ source, probe, enlarged }: { source: Source; probe: Probe; enlarged: number }) {
  const { origin } = probe;
  if (origin === undefined) return null;
  const { made, row, column, channel, value } = origin;
  const whole = <strong>{signed(value)}</strong>;
  const place = `row ${row}, column ${column} of ${inputName(source, channel, enlarged)}`;
  return (
    <p class="step" data-testid="origin">
      {made.kind === "photograph" && (
        <>
          The photograph's own brightness, 0 to 1: {place} is {whole}.
        </>
      )}
      {made.kind === "layer" && (
        <>
          {source.kind === "joined" && "Two sides are joined, channel behind channel. "}
          What {nameOf(made.from).toLowerCase()} gives, as it is: {place} is its channel {made.channel},{" "}
          {whole}.
        </>
      )}
      {made.kind === "pooled" && (
        <>
          Max pooling of {nameOf(made.from).toLowerCase()}: {place} is {whole}, the largest of{" "}
          <Four values={made.four} />
        </>
      )}
      {made.kind === "gated" && (
        <>
          {source.kind === "joined" && "Two sides are joined, channel behind channel. "}
          Channel {made.channel} of {nameOf(made.from).toLowerCase()} times its gate: {place} is{" "}
          {signed(made.feature)} × {operand(made.gate)} = {whole}.
        </>
      )}
      {made.kind === "map" && (
        <>
          The {made.of} over the {made.channels} channels of {nameOf(made.from).toLowerCase()}: at row {row},
          column {column} it is {whole}.
        </>
      )}
    </p>
  );
}

/** From the sum to what the layer gives, and what becomes of that. */
export function OutcomeSteps({ probe, id }: { probe: Probe; id: string }) {
  const { normalized, nonlinearity, activation, sum, next } = probe;
  const before = normalized?.value ?? sum;
  const gate = 1 / (1 + Math.exp(-before));
  const isLast = nonlinearity === "none";
  return (
    <>
      {normalized && <Normalization sum={sum} normalized={normalized} />}
      {nonlinearity === "silu" && (
        <Step name="SiLU: times its own sigmoid" result={activation} isLast>
          {signed(before)} × {gate.toFixed(3)}
        </Step>
      )}
      {nonlinearity === "relu" && (
        <Step name="ReLU: nothing below zero" result={activation} isLast>
          max(0, {signed(before)})
        </Step>
      )}
      {nonlinearity === "sigmoid" && (
        <Step
          name={id === "head" ? "its sigmoid: the probability" : "its sigmoid: the gate"}
          result={activation}
          isLast
        >
          1 ÷ (1 + e<sup>{signed(-before)}</sup>)
        </Step>
      )}
      {isLast && <Step name="which is passed on as it is" result={activation} isLast />}
      {next?.kind === "pooled" && (
        <Step name="then max pooling keeps the largest of four" result={Math.max(...next.four)}>
          <Four values={next.four} />
        </Step>
      )}
      {next?.kind === "gate" && (
        <Step
          name={`then it multiplies every channel of ${nameOf(next.of).toLowerCase()}, such as channel ${next.channel}`}
          result={next.feature * activation}
        >
          {signed(next.feature)} × {operand(activation)}
        </Step>
      )}
    </>
  );
}

function Normalization({ sum, normalized }: { sum: number; normalized: Normalized }) {
  const { mean, variance, epsilon, gamma, beta, value, first, last, isFixed } = normalized;
  const compared = (sum - mean) / Math.sqrt(variance + epsilon);
  const of = isFixed
    ? "learned for the channel"
    : first === last
      ? `of channel ${first}`
      : `of channels ${first} to ${last}`;
  return (
    <>
      <Step name={`less the mean, over the deviation (${of})`} result={compared} id="compared">
        ({signed(sum)} − {operand(mean)}) ÷ √({variance.toFixed(3)} + {epsilon})
      </Step>
      <Step name="times gamma, plus beta" result={value} id="normalized">
        {signed(compared)} × {operand(gamma)} + {operand(beta)}
      </Step>
    </>
  );
}

/** A line of the working: what is done, with which numbers, and what comes out. */
function Step({
  name,
  children,
  result,
  isLast = false,
  id,
}: {
  name: string;
  children?: ComponentChildren;
  result: number;
  isLast?: boolean;
  id?: string;
}) {
  return (
    <tr>
      <th scope="row" colSpan={3}>
        {name}
        {children && <span class="working">{children}</span>}
      </th>
      <td class="number" data-testid={id && `probe-${id}`}>
        {isLast ? <strong data-testid="probe-activation">{signed(result)}</strong> : signed(result)}
      </td>
    </tr>
  );
}

/** Two by two numbers, the largest marked. */
function Four({ values }: { values: readonly number[] }) {
  const largest = Math.max(...values);
  return (
    <span class="four">
      {values.map((value, i) => (
        <span
          // Four places have no other names.
          key={`${i}`}
          class={value === largest ? "largest" : ""}
        >
          {signed(value)}
        </span>
      ))}
    </span>
  );
}
