/** A thread that does whatever a test tells it. */
export default ({ code }: { code: string }): unknown => new Function(code)();
