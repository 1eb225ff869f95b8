// Mutants that survive and change nothing that anybody could notice: the code as `npm run mutants` prints it, and why.

export const argued = [];
