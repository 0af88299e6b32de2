/** The receiver has answered, and does not take this notice. */
export class Refused extends Error {}
