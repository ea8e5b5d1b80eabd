// Every adapter of the State port against the one suite; DynamoDB over the wire.

import { SqliteState } from '../lib/local/state-sqlite.ts';
import { temporaryDatabase } from './support/data-folder.ts';
import { dynamo } from './support/dynamo.ts';
import { MemoryState } from './support/memory-state.ts';
import { describeState } from './support/state-contract.ts';

describeState('SqliteState', () => new SqliteState(temporaryDatabase()));
describeState('MemoryState', () => new MemoryState());
describeState('DynamoState', dynamo().open);
