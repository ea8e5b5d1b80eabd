// Run in a process of its own: loads a bundle as Lambda does, calls its handler with the event, and tells what came out.

const [, , file, event] = process.argv;
const { handler } = require(file);

const context = { awsRequestId: 'request-1', functionName: 'test', getRemainingTimeInMillis: () => 30_000 };
Promise.resolve(handler(JSON.parse(event), context)).then(
  (answer) => tell({ answer }),
  (error) => tell({ thrown: { name: error.name, code: error.code, message: error.message } }),
);

function tell(outcome) {
  process.stdout.write(`\n${JSON.stringify({ type: typeof handler, ...outcome })}`, () => process.exit());
}
