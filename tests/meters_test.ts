/**
 * What is counted, as numbers and as Prometheus' text.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { addedUp, Meters } from "../src/metrics/meters.ts";
import { metricsPage } from "../src/metrics/exposition.ts";

function page(meters: Meters): Promise<string> {
  return metricsPage([{ metrics: meters.metrics, numbers: meters.numbers() }]);
}

Deno.test("counters, gauges and histograms are written as Prometheus reads them", async () => {
  const meters = new Meters();
  meters.counter("letters_total", "Letters that came").add(3);
  meters.gauge("waiting", 'Who "waits"\nin a \\ line', { role: 'a "b"' }).read = () => 0.5;
  const byColour = meters.counters("hats_total", "Hats", [{ colour: "red", size: "l" }, {
    colour: "blue",
    size: "s",
  }]);
  byColour.of({ colour: "blue", size: "s" }).add();
  const seconds = meters.histogram("seconds", "How long", [0.1, 1]);
  for (const value of [0.05, 0.1, 0.11, 1, 1.5]) seconds.observe(value);
  assertEquals(
    await page(meters),
    `# HELP letters_total Letters that came
# TYPE letters_total counter
letters_total 3

# HELP waiting Who "waits"\\nin a \\\\ line
# TYPE waiting gauge
waiting{role="a \\"b\\""} 0.5

# HELP hats_total Hats
# TYPE hats_total counter
hats_total{colour="red",size="l"} 0
hats_total{colour="blue",size="s"} 1

# HELP seconds How long
# TYPE seconds histogram
seconds_bucket{le="0.1"} 2
seconds_bucket{le="1"} 4
seconds_bucket{le="+Inf"} 5
seconds_sum 2.76
seconds_count 5
`,
  );
});

Deno.test("a value at a bound of a histogram is of its part, and one past it of the next", () => {
  const meters = new Meters();
  const sizes = meters.histograms("sizes", "Sizes", [1, 2], [{ of: "a" }, { of: "b" }]);
  sizes.of({ of: "b" }).observe(1);
  sizes.of({ of: "b" }).observe(1.5);
  sizes.of({ of: "b" }).observe(2.5);
  assertEquals(meters.numbers(), [0, 0, 0, 0, 1, 1, 1, 5]);
});

Deno.test("numbers of threads are added up by their places, and never those of threads that count something else", () => {
  assertEquals(addedUp([[1, 2, 3]]), [1, 2, 3]);
  assertEquals(addedUp([[1, 2, 3], [10, 0, 0.5], [0, 0, 1]]), [11, 2, 4.5]);
  assertThrows(() => addedUp([[1, 2], [1]]), Error, "different things");
});

Deno.test("a row that is not in the table is a bug and no new row", () => {
  const meters = new Meters();
  const counters = meters.counters<{ fault: string }>("faults_total", "Faults", [{ fault: "A" }]);
  assertThrows(() => counters.of({ fault: "B" }), Error, "no row B");
  assertEquals(meters.numbers(), [0]);
});

Deno.test("two metrics cannot have one name", () => {
  const meters = new Meters();
  meters.counter("letters_total", "Letters");
  assertThrows(() => meters.counter("letters_total", "Letters again"), Error, "letters_total is taken");
});

Deno.test("of what a thread had counted that is gone the gauges are taken away, and nothing else", () => {
  const meters = new Meters();
  meters.counter("letters_total", "Letters").add(3);
  meters.gauge("waiting", "Who waits").read = () => 9;
  meters.histogram("seconds", "How long", [1]).observe(2);
  meters.gauge("sitting", "Who sits").read = () => 8;
  meters.counters("hats_total", "Hats", [{ of: "a" }, { of: "b" }]).of({ of: "b" }).add(4);
  assertEquals(meters.withoutGauges(meters.numbers()), [3, 0, 0, 1, 2, 0, 0, 4]);
});
