// What both sides of every measurement know: the key and the project of the simulator.

/** The key is an example and opens nothing else. */
export const key = { ak: 'EXAMPLEBENCHACCESSKEY', sk: 'example-bench-secret-key-of-the-simulator' };
export const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';

/** The instances of the one call of the cold start. */
export const ids = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
