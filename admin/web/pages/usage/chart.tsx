import { useMediaQuery } from "@mantine/hooks";
import { Bar, BarChart, CartesianGrid, Legend, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import type { UsageView } from "../../../api/usage.ts";
import { texts } from "../../texts.ts";
import { nameOf, shortDay } from "./names.ts";

const words = texts.usage;
/** Told apart by colour-blind people too, on white and on dark; the last one is for the rest. */
const COLORS = ["#0b8f6c", "#4477cc", "#d9822b", "#aa4499", "#6aa6a6", "#c9a227", "#cc5566", "#7a6bc9", "#8a929c"];

/** Until the real size is measured: nobody should see an empty box. */
const WIDE = { width: 900, height: 320 };
const NARROW = { width: 330, height: 260 };

/** Tokens of each day, in parts. Drawn only: the same numbers stand in the table beneath it. */
export default function UsageChart({ usage }: { usage: UsageView }) {
  const phone = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  const { by, series, days } = usage;
  const data = days.map((day, at) => ({
    day: shortDay(day),
    ...Object.fromEntries(series.map((part, index) => [`p${index}`, part.tokens[at] ?? 0])),
  }));
  const title = by === "day" ? words.chartDay : words.chart(words.dimensions[by]);
  const faint = { fill: "var(--mantine-color-dimmed)", fontSize: 12 };
  return (
    <figure className="agt-card" style={{ margin: 0, padding: "1rem 0.75rem 0.5rem 0" }} aria-label={title}>
      <div aria-hidden style={{ width: "100%", height: phone ? 260 : 320 }}>
        <ResponsiveContainer width="100%" height="100%" initialDimension={phone ? NARROW : WIDE}>
          <BarChart data={data} barCategoryGap="20%" accessibilityLayer={false}>
            <CartesianGrid stroke="var(--agt-line)" vertical={false} />
            <XAxis dataKey="day" tick={faint} tickLine={false} stroke="var(--agt-line)" minTickGap={phone ? 28 : 16} />
            <YAxis tick={faint} tickLine={false} axisLine={false} width={56} tickFormatter={words.short} />
            <Tooltip
              cursor={{ fill: "var(--agt-line)", opacity: 0.35 }}
              contentStyle={{ background: "var(--agt-card)", border: "1px solid var(--agt-line)", borderRadius: 8 }}
              labelStyle={{ color: "var(--mantine-color-text)" }}
              itemStyle={{ color: "var(--mantine-color-text)" }}
              formatter={(value) => words.number(Number(value))}
            />
            {series.length > 1 && (
              <Legend
                iconType="square"
                formatter={(name) => <span style={{ color: "var(--mantine-color-text)", fontSize: 13 }}>{name}</span>}
              />
            )}
            {series.map((part, index) => (
              <Bar
                key={part.key ?? "rest"}
                dataKey={`p${index}`}
                name={nameOf(by, part)}
                stackId="tokens"
                fill={COLORS[part.key === null && by !== "day" ? COLORS.length - 1 : index] ?? COLORS[0] ?? ""}
                isAnimationActive={false}
              />
            ))}
          </BarChart>
        </ResponsiveContainer>
      </div>
    </figure>
  );
}
