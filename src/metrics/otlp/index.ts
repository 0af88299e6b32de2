export { OtlpExporter, type OtlpHost } from './exporter.js';
export { otlpOptions, type OtlpOptions } from './options.js';
