/** `14:02:11` today, `2024-03-09 14:02:11` otherwise, in the time zone of the reader. */
export function formatTime(timestamp: string, now = new Date()): string {
  const [day, time] = localParts(new Date(timestamp));
  return day === localParts(now)[0] ? time : `${day} ${time}`;
}

function localParts(date: Date): readonly [day: string, time: string] {
  const two = (value: number) => String(value).padStart(2, '0');
  return [
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  ];
}

/** The same to the millisecond. */
export function formatInstant(timestamp: string, now = new Date()): string {
  const milliseconds = String(new Date(timestamp).getMilliseconds()).padStart(3, '0');
  return `${formatTime(timestamp, now)}.${milliseconds}`;
}
