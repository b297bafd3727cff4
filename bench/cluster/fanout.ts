/**
 * The fan-out of one room whose clients are spread over the nodes of a cluster, by the load generator of bench/load/:
 * what each client receives is checked for loss and order.
 *
 * @module
 */
import {
  buildLoadGenerator,
  cacheFolder,
  findCompiler,
  type Measured,
  runLoadGenerator,
} from "../comparison/load_generator.ts";
import { ClusterStage, type StageOptions } from "./cluster_stage.ts";

const SENDERS = 8;
const WARM_SECONDS = 2;

/** The program that makes the load; undefined without a C compiler. */
export async function fanoutGenerator(): Promise<string | undefined> {
  const compiler = await findCompiler();
  return compiler === undefined ? undefined : await buildLoadGenerator(compiler, cacheFolder());
}

export interface FanoutOptions {
  readonly generator: string;
  readonly clients: number;
  readonly seconds: number;
}

/** Each sender has one message under way, and sends the next when that comes back. */
export async function measureFanout(
  stageOptions: StageOptions,
  { generator, clients, seconds }: FanoutOptions,
): Promise<Measured> {
  await using stage = await ClusterStage.start(stageOptions);
  const ports = stage.urls.map((url) => new URL(url).port);
  return await runLoadGenerator(generator, [
    ...["closed", "--port", ports.join(), "--clients", `${clients}`, "--senders", `${SENDERS}`],
    ...["--seconds", `${seconds}`, "--warmup", `${WARM_SECONDS}`],
  ]);
}
