// For serverless.yml, which can ask CommonJS files only: which secrets each function's role may read, and whom that of the
// run may tell (see packaging.ts).

module.exports = async () => (await import('./packaging.ts')).packagedRights();
