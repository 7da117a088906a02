package conversation

import "github.com/sre-go/sre/subsystem/llm/llm"

// window returns the messages that the model is shown: the system prompt and as much of the history as fits, the newest
// whole. It begins with a message of the user, and never with the result of a call that it does not show. The last
// message of the user and all that followed are always shown: without them there is nothing to answer.
func (c *Conversation) window(systemTokens int) []llm.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := c.c.MaxInput - systemTokens
	last := c.lastPrompt()
	from := last
	used := 0
	for i := len(c.entries) - 1; i >= 0; i-- {
		if c.entries[i].tokens == 0 {
			c.entries[i].tokens = c.size(c.entries[i].Message)
		}
		used += c.entries[i].tokens
		if used > room && i < last {
			break
		}
		if i < from && c.entries[i].Message.Role == llm.User {
			from = i
		}
	}
	out := make([]llm.Message, 0, 1+len(c.entries)-from)
	if c.c.System != "" {
		out = append(out, llm.Say(llm.System, c.c.System))
	}
	for _, e := range c.entries[from:] {
		out = append(out, e.Message)
	}
	return out
}

// lastPrompt returns the index of the last message that the user wrote.
func (c *Conversation) lastPrompt() int {
	for i := len(c.entries) - 1; i >= 0; i-- {
		if e := &c.entries[i]; e.Message.Role == llm.User && !e.Internal {
			return i
		}
	}
	return 0
}
