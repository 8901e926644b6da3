// The comment box beside each docked composer, by its conversation: { people, begin(name) }. The composer's "@" leads
// there, for what is said to a colleague must not stand in a mail to the customer.
export const besides = new Map();
