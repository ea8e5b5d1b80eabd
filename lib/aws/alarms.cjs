// For serverless.yml, which can ask CommonJS files only: what may call the function of alerts (see packaging.ts).

module.exports = async () => (await import('./packaging.ts')).alertEvents();
