// Answers every request with its pid.
import { createServer } from 'node:http';

createServer((request, response) => response.end(String(process.pid))).listen(process.env.PORT);
