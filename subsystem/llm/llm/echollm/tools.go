package echollm

import (
	"strconv"
	"strings"

	"github.com/sre-go/sre/subsystem/llm/llm"
)

// callMark begins a line of a prompt that is a call of a tool: "/call greet {"name": "Ada"}".
const callMark = "/call "

// answer is what the model says, or which tools it asks for. A prompt with tools may hold calls, a line each, and what the
// tools answered is said when they have.
func answer(call *llm.Call) (text string, calls []llm.ToolCall) {
	if len(call.Tools) > 0 && len(call.Messages) > 0 {
		last := call.Messages[len(call.Messages)-1]
		if last.Role == llm.Tool {
			return results(last), nil
		}
		if last.Role == llm.User {
			if calls = callsIn(last.Text(), len(call.Messages)); len(calls) > 0 {
				return "", calls
			}
		}
	}
	return prompt(call.Messages), nil
}

// callsIn returns the calls in a prompt. number tells calls of different prompts apart.
func callsIn(text string, number int) []llm.ToolCall {
	var calls []llm.ToolCall
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), callMark)
		if !ok {
			continue
		}
		name, args, _ := strings.Cut(strings.TrimSpace(rest), " ")
		calls = append(calls, llm.ToolCall{
			ID: "call_" + strconv.Itoa(number) + "_" + strconv.Itoa(len(calls)), Name: name, Arguments: strings.TrimSpace(args),
		})
	}
	return calls
}

// results is what tools answered, a line each.
func results(m llm.Message) string {
	var lines []string
	for _, part := range m.Content {
		if r, ok := part.(llm.ToolResult); ok {
			lines = append(lines, r.Text)
		}
	}
	return strings.Join(lines, "\n")
}
