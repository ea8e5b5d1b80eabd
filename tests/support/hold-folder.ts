// A process that holds a data folder until it is killed; says so on stdout.

import { openDatabase } from '../../lib/local/database.ts';

const database = openDatabase(process.argv[2] ?? '');
process.stdout.write('held\n');
setInterval(() => database.isOpen, 60_000);
