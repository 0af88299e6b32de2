// Written for a package of "type": "module", which this is not.
import './good.js';
