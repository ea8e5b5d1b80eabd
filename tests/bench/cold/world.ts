// What both handlers of the cold start are given: the same key, the same project, the same two instances.

/** Where the loopback server expects its calls from. The key is an example and opens nothing else. */
export const projectId = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
export const key = { ak: 'EXAMPLEBENCHACCESSKEY', sk: 'example-bench-secret-key-of-the-simulator' };

/** The instances of the one call. */
export const ids = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
