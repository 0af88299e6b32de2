export async function GET(request) {
  const { searchParams } = new URL(request.url);
  await new Promise((resolve) => setTimeout(resolve, Number(searchParams.get('ms') ?? 0)));
  return Response.json({ pid: process.pid, id: searchParams.get('id') });
}
