/** A worker of the next version, as an upgrade would start it: what it begins has other steps, what was begun before ends as it was. */
import "../../core/light-drizzle.ts";

const { DBOS } = await import("@dbos-inc/dbos-sdk");
const { runPlatform } = await import("../../admin/platform.ts");
const { answer, registerAnswer, registerWorkflows } = await import("../../bots/workflow.ts");

await runPlatform("worker", {
  register(ctx) {
    registerWorkflows(ctx);
    return registerAnswer("answer.v2", async (runId) => {
      await DBOS.runStep(
        async () => ctx.log.info({ run: runId }, "the step that the next version has before the others"),
        {
          name: "prepare",
        },
      );
      await answer(ctx, runId);
    });
  },
});
