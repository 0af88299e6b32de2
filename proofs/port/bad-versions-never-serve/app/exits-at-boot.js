console.error('Error: DATABASE_URL is not set');
process.exit(1);
