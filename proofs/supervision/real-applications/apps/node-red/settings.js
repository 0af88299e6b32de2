/** Loopback only, and nothing that asks the network: no telemetry, news, palette catalogue or projects. */
module.exports = {
  uiHost: '127.0.0.1',
  uiPort: process.env.PORT,
  userDir: `${__dirname}/data`,
  flowFile: `${__dirname}/flows.json`,
  credentialSecret: false,
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { projects: { enabled: false }, tours: false, palette: { catalogues: [] } },
  externalModules: { autoInstall: false, palette: { allowInstall: false } },
};
