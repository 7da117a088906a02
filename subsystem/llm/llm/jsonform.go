package llm

// jsonOnly is what a model is told that is to answer with one JSON object. Providers keep to it with or without a mode of
// their own for that, and some refuse such a mode when the conversation does not speak of JSON. The words are those that
// agents were written against.
const jsonOnly = `
Respond ONLY with a valid, parsable JSON object. Follow these strict guidelines:
1. The response must begin with '{' and end with '}'.
2. Use double quotes for all keys and string values.
3. Do not include any explanations, markdown, or text outside the JSON object.
4. Do not use newlines or indentation within the JSON structure.
5. For single-key responses, use the format: {"result": "your content here"}
6. For multiple keys, use: {"key1": "value1", "key2": "value2", ...}

Example of a valid response:
{"result": "This is a valid JSON response without any extra text."}
`

// AskJSON returns a conversation whose first system message also asks for one JSON object; without one there is a new one
// at the beginning. The list it was given is not changed. The service does so for every request whose format is JSON, for
// all providers but those that would only repeat it.
func AskJSON(list []Message) []Message {
	out := make([]Message, 0, len(list)+1)
	for i, m := range list {
		if m.Role != System {
			continue
		}
		out = append(out, list...)
		out[i].Content = append(append(make([]Content, 0, len(m.Content)+1), m.Content...), Text{Text: jsonOnly})
		return out
	}
	return append(append(out, Say(System, jsonOnly)), list...)
}
