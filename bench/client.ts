/** A client that signs up on a server and sends documents. */
export type Client = {
  accessToken: string;
  createDocument(text: string): Promise<void>;
  upload(file: File): Promise<void>;
};

export async function signUp(address: string): Promise<Client> {
  const answered = async (init: RequestInit): Promise<Record<string, unknown>> => {
    const response = await fetch(address, { method: "POST", ...init });
    const { data, errors } = (await response.json()) as { data?: Record<string, unknown>; errors?: unknown };
    if (!data) throw new Error(`The request failed: ${JSON.stringify(errors)}`);
    return data;
  };
  const json = { "content-type": "application/json" };
  const query = `mutation {
    signUp(input: { email: "bench@lectern.example", name: "Bench", password: "a good password" }) { accessToken }
  }`;
  const { signUp } = (await answered({ headers: json, body: JSON.stringify({ query }) })) as {
    signUp: { accessToken: string };
  };
  const authorization = `Bearer ${signUp.accessToken}`;
  return {
    accessToken: signUp.accessToken,
    async createDocument(text) {
      const query = "mutation($text: String!) { createDocument(input: { source: { text: $text } }) { isDuplicate } }";
      await answered({ headers: { ...json, authorization }, body: JSON.stringify({ query, variables: { text } }) });
    },
    async upload(file) {
      const query = "mutation($file: File!) { createDocument(input: { source: { file: $file } }) { isDuplicate } }";
      const form = new FormData();
      form.set("operations", JSON.stringify({ query, variables: { file: null } }));
      form.set("map", JSON.stringify({ 0: ["variables.file"] }));
      form.set("0", file);
      await answered({ headers: { authorization }, body: form });
    },
  };
}
