/// The statements of `Queries/*.sql` as values: each with its name, its text, its parameters and the type of its rows.
enum Queries {}
