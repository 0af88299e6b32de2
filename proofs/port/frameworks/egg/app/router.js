module.exports = ({ router, controller }) => {
  router.get('/pid', controller.home.pid);
  router.post('/sum', controller.home.sum);
  router.get('/download', controller.home.download);
};
