/** @type {import('next').NextConfig} */
export default { output: process.env.OUTPUT, distDir: process.env.DIST_DIR ?? '.next' };
