/** Speaks to the inspector of a running Node process. */
export { InspectorError, openInspector, type OpenInspector } from './open.js';
export { InspectorSession } from './session.js';
export { takeActivity, type Activity, type Frame } from './stack.js';
