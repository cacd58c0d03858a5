public import PersistenceCore

/// A rule of the domain that a store enforces, under the name that errors carry in ``PersistenceCore/PersistenceError/constraint``.
///
/// ```swift
/// do {
///     try await users.create(user)
/// } catch where error.domainConstraint == .userEmail {
///     // somebody has this address already
/// }
/// ```
public struct DomainConstraint: Hashable, Sendable {
    /// The name of the constraint or index in `Migrations/`; every other store uses the same.
    public let name: String

    /// The code of the errors that report it.
    public let code: PersistenceError.Code

    /// What breaking the rule means, in a sentence for a person.
    public let summary: String

    private init(_ name: String, _ code: PersistenceError.Code, _ summary: String) {
        self.name = name
        self.code = code
        self.summary = summary
    }

    /// Two users that exist have different addresses.
    public static let userEmail = DomainConstraint(
        "idx_users_email", .uniqueViolation, "another user has this email address")
    /// A user's identifier is used once.
    public static let userID = DomainConstraint(
        "users_pkey", .uniqueViolation, "a user with this identifier has been created before")
    /// A workspace's identifier is used once.
    public static let workspaceID = DomainConstraint(
        "workspaces_pkey", .uniqueViolation, "a workspace with this identifier has been created before")
    /// A user is a member of a workspace once.
    public static let workspaceMember = DomainConstraint(
        "workspace_members_pkey", .uniqueViolation, "the user is a member of this workspace already")
    /// A workspace keeps at least one owner.
    public static let workspaceOwner = DomainConstraint(
        "workspace_members_owner_check", .checkViolation, "the last owner of a workspace must stay its owner")
    /// An audit entry's identifier is used once.
    public static let auditEntryID = DomainConstraint(
        "audit_log_pkey", .uniqueViolation, "an audit entry with this identifier has been appended before")
    /// The metadata of an activity is recorded once.
    public static let activityID = DomainConstraint(
        "activity_metadata_pkey", .uniqueViolation, "the metadata of this activity has been recorded before")
    /// The identifier of an execution is used once within a job.
    public static let jobExecutionID = DomainConstraint(
        "job_executions_pkey", .uniqueViolation, "an execution with this identifier has been queued before")
    /// An execution goes from state to state by the steps of ``JobTransition``.
    public static let jobExecutionState = DomainConstraint(
        "job_executions_state_check", .checkViolation, "the execution is in a state that this step does not begin in")
    /// The identifier of an event is used once within a job.
    public static let jobEventID = DomainConstraint(
        "job_events_pkey", .uniqueViolation, "an event with this identifier has been appended before")

    /// Every rule.
    public static let all: [DomainConstraint] =
        [
            .userEmail, .userID, .workspaceID, .workspaceMember, .workspaceOwner, .auditEntryID,
        ] + ofDocuments

    /// The rules that document stores keep.
    package static let ofDocuments: [DomainConstraint] = [
        .activityID, .jobExecutionID, .jobExecutionState, .jobEventID,
    ]
}

extension PersistenceError {
    /// The rule of the domain that refused the change; `nil` when no rule did, or one of a service's own schema.
    public var domainConstraint: DomainConstraint? {
        guard let constraint else { return nil }
        return DomainConstraint.all.first { $0.name == constraint && $0.code == code }
    }

    /// The error of a store in which a change breaks a rule of the domain.
    ///
    /// - Parameters:
    ///   - constraint: The rule.
    ///   - operation: The name of the operation that was refused.
    public init(_ constraint: DomainConstraint, operation: String? = nil) {
        self.init(constraint.code, constraint.summary, operation: operation)
        self.constraint = constraint.name
    }
}
