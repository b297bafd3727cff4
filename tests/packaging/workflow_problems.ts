/**
 * A program of its own for tests: reads workflows of GitHub as JSON from stdin, `{ name, text }` each, and writes what
 * GitHub's parser finds wrong with each, as JSON too.
 *
 * It is bundled before it is run, since the parser is made for that: it imports JSON as only bundlers take it.
 *
 * @module
 */
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";

/** Everything that is wrong with one. */
async function problemsOf(name: string, text: string): Promise<string[]> {
  const { context, value } = parseWorkflow({ name, content: text }, new NoOperationTraceWriter());
  const found = context.errors.getErrors().map(({ message }) => message);
  if (found.length > 0 || value === undefined) return found;
  const { errors = [] } = await convertWorkflowTemplate(context, value);
  return errors.map(({ Message }) => Message);
}

const workflows: { name: string; text: string }[] = await new Response(Deno.stdin.readable).json();
const problems = await Promise.all(workflows.map(({ name, text }) => problemsOf(name, text)));
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(problems)));
