/** Speaks to the inspector of a running Node process. */
export { InspectorError, openInspector, type OpenInspector } from './open.js';
export { takeProfile, type ProfileKind, type ProfileWish } from './profile.js';
export { findProfileTarget, type ProfileTarget, type Refusal } from './profile-target.js';
export { InspectorSession } from './session.js';
export { takeActivity, type Activity, type Frame } from './stack.js';
