// Strips the types from a test or source file; esbuild is here anyway, for packaging.
import { createHash } from 'node:crypto';
import { transformSync } from 'esbuild';

export default {
  getCacheKey: (source, path) => createHash('sha256').update(path).update(source).digest('hex'),
  process: (source, path) => {
    const { code, map } = transformSync(source, {
      loader: 'ts',
      format: 'esm',
      target: 'node22',
      sourcefile: path,
      sourcemap: 'external',
    });
    return { code, map };
  },
};
