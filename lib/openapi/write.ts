// `npm run openapi`: prints the description of the doors.

import { openapiText } from './document.ts';

process.stdout.write(openapiText());
