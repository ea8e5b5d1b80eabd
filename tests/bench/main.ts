// `npm run bench`
import { coldStart } from './cold-start.ts';
process.stdout.write(await coldStart(process.argv.includes('--short') ? 5 : 15));
