'use strict';
require('./tell.cjs').tell();
