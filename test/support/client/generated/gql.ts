/* eslint-disable */
import * as types from './graphql.ts';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  query Waveform($id: ID!) {\n    audio(id: $id) { title durationMs url waveformUrl peaks(count: 50) }\n  }\n": typeof types.WaveformDocument,
    "\n  mutation UploadSound($input: UploadAudioInput!) {\n    uploadAudio(input: $input) {\n      isDuplicate\n      audio { id title artist filename status version mimeType sizeBytes sha256 durationMs url uploadedBy { name } }\n    }\n  }\n": typeof types.UploadSoundDocument,
    "\n  query ReadAudio($id: ID!, $count: Int) {\n    audio(id: $id) {\n      id title artist album filename status version mimeType sizeBytes sha256 durationMs failure progress attempts\n      loudnessLufs truePeakDb leadingSilenceMs trailingSilenceMs url coverUrl waveformUrl peaks(count: $count)\n      category { name } event { name } uploadedBy { name } uploadedAt updatedAt processedAt\n    }\n  }\n": typeof types.ReadAudioDocument,
    "\n  mutation UpdateSound($input: UpdateAudioInput!) {\n    updateAudio(input: $input) { audio { version title artist album category { name } event { name } } }\n  }\n": typeof types.UpdateSoundDocument,
    "\n  mutation DeleteSound($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { deletedId }\n  }\n": typeof types.DeleteSoundDocument,
    "\n  mutation ReprocessSound($input: ReprocessAudioInput!) {\n    reprocessAudio(input: $input) { audio { status version durationMs } }\n  }\n": typeof types.ReprocessSoundDocument,
    "\n  query ListSounds($filter: AudioFilter, $orderBy: AudioOrder, $first: Int) {\n    audios(filter: $filter, orderBy: $orderBy, first: $first) { totalCount nodes { title } }\n  }\n": typeof types.ListSoundsDocument,
    "mutation MakeCategory { createCategory(input: { name: \"Music\" }) { category { id } } }": typeof types.MakeCategoryDocument,
    "mutation MakeEvent { createEvent(input: { name: \"Opening\" }) { event { id } } }": typeof types.MakeEventDocument,
    "\n  mutation UploadForPlaylist($input: UploadAudioInput!) {\n    uploadAudio(input: $input) { audio { id } }\n  }\n": typeof types.UploadForPlaylistDocument,
    "\n  mutation ReprocessInPlaylist($id: ID!) { reprocessAudio(input: { id: $id }) { audio { status } } }\n": typeof types.ReprocessInPlaylistDocument,
    "\n  mutation DeleteFromPlaylist($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { deletedId movedSchedules { id version startsAt endsAt } }\n  }\n": typeof types.DeleteFromPlaylistDocument,
    "\n  query ReadInPlaylist($id: ID!) { audio(id: $id) { version status failure durationMs attempts } }\n": typeof types.ReadInPlaylistDocument,
    "\n  mutation MakePlaylistOfAudio($name: String!, $audioIds: [ID!]) {\n    createPlaylist(input: { name: $name, audioIds: $audioIds }) { playlist { id } }\n  }\n": typeof types.MakePlaylistOfAudioDocument,
    "\n  mutation ScheduleAudio($playlistId: ID!, $channel: String!, $startsAt: DateTime!) {\n    createSchedule(input: { playlistId: $playlistId, channel: $channel, startsAt: $startsAt }) { schedule { id version } }\n  }\n": typeof types.ScheduleAudioDocument,
    "\n  mutation MoveScheduleAway($input: UpdateScheduleInput!) { updateSchedule(input: $input) { schedule { version } } }\n": typeof types.MoveScheduleAwayDocument,
    "\n  query ReadPlaylistOfAudio($id: ID!) {\n    playlist(id: $id) { version trackCount durationMs schedules { nodes { id version startsAt endsAt } } }\n  }\n": typeof types.ReadPlaylistOfAudioDocument,
    "\n      mutation AddDeletedAudio($playlistId: ID!, $id: ID!) {\n        addTracks(input: { playlistId: $playlistId, audioIds: [$id] }) { playlist { version } }\n      }\n    ": typeof types.AddDeletedAudioDocument,
    "\n  mutation CreateCategory($name: String!) {\n    createCategory(input: { name: $name }) { category { id name version } }\n  }\n": typeof types.CreateCategoryDocument,
    "\n  mutation UpdateCategory($input: UpdateCategoryInput!) {\n    updateCategory(input: $input) { category { name version } }\n  }\n": typeof types.UpdateCategoryDocument,
    "\n  mutation DeleteCategory($input: DeleteCategoryInput!) {\n    deleteCategory(input: $input) { deletedId }\n  }\n": typeof types.DeleteCategoryDocument,
    "\n  query Categories { categories { id name version } }\n": typeof types.CategoriesDocument,
    "\n  mutation CreateBadInput($input: CreateDocumentInput!) {\n    createDocument(input: $input) { isDuplicate document { id title text sizeBytes } }\n  }\n": typeof types.CreateBadInputDocument,
    "\n  mutation UpdateBadInput($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { version } }\n  }\n": typeof types.UpdateBadInputDocument,
    "\n  mutation DeleteBadInput($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n": typeof types.DeleteBadInputDocument,
    "\n  mutation ReprocessBadInput($input: ReprocessDocumentInput!) {\n    reprocessDocument(input: $input) { document { status version } }\n  }\n": typeof types.ReprocessBadInputDocument,
    "\n  mutation SignUpBadInput($input: SignUpInput!) {\n    signUp(input: $input) { user { id } }\n  }\n": typeof types.SignUpBadInputDocument,
    "\n  mutation SignInBadInput($input: SignInInput!) {\n    signIn(input: $input) { user { id } }\n  }\n": typeof types.SignInBadInputDocument,
    "\n  query DocumentsOfBadInput(\n    $first: Int\n    $after: String\n    $last: Int\n    $before: String\n    $orderBy: DocumentOrder\n    $filter: DocumentFilter\n  ) {\n    documents(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {\n      edges { cursor node { title } }\n    }\n  }\n": typeof types.DocumentsOfBadInputDocument,
    "\n  query UsersOfBadInput($first: Int, $after: String, $search: String) {\n    users(first: $first, after: $after, search: $search) { nodes { id } }\n  }\n": typeof types.UsersOfBadInputDocument,
    "\n  query DocumentOfBadInput($id: ID!) {\n    document(id: $id) { id }\n  }\n": typeof types.DocumentOfBadInputDocument,
    "\n  query ChunksOfBadInput($id: ID!, $first: Int) {\n    document(id: $id) { chunks(first: $first) { totalCount } }\n  }\n": typeof types.ChunksOfBadInputDocument,
    "\n  query NodeOfBadInput($id: ID!) {\n    node(id: $id) { id }\n  }\n": typeof types.NodeOfBadInputDocument,
    "\n  query NodesOfBadInput($ids: [ID!]!) {\n    nodes(ids: $ids) { id }\n  }\n": typeof types.NodesOfBadInputDocument,
    "\n  query SearchOfBadInput($query: String!, $documentIds: [ID!]) {\n    searchChunks(query: $query, documentIds: $documentIds) { totalCount }\n  }\n": typeof types.SearchOfBadInputDocument,
    "\n  mutation ConflictReprocess($id: ID!) {\n    reprocessDocument(input: { id: $id }) { document { id } }\n  }\n": typeof types.ConflictReprocessDocument,
    "\n  mutation ConflictRename($id: ID!, $version: Int!) {\n    updateDocument(input: { id: $id, expectedVersion: $version, title: \"Another title\" }) { document { id } }\n  }\n": typeof types.ConflictRenameDocument,
    "\n  query ReadDocument($id: ID!, $first: Int, $after: String) {\n    document(id: $id) {\n      title\n      status\n      version\n      progress\n      attempts\n      mimeType\n      sizeBytes\n      processedAt\n      text\n      chunks(first: $first, after: $after) {\n        totalCount\n        nodes { index text startOffset endOffset tokenCount }\n        pageInfo { hasNextPage hasPreviousPage endCursor }\n      }\n    }\n  }\n": typeof types.ReadDocumentDocument,
    "\n  query Search($query: String!, $first: Int, $after: String, $documentIds: [ID!]) {\n    searchChunks(query: $query, first: $first, after: $after, documentIds: $documentIds) {\n      totalCount\n      nodes { score snippet chunk { id index text document { id title } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.SearchDocument,
    "\n  mutation Rename($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version updatedAt } }\n  }\n": typeof types.RenameDocument,
    "\n  mutation Delete($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n": typeof types.DeleteDocument,
    "\n  mutation CreateFromSource($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title status version mimeType sizeBytes sha256 visibility owner { id email } }\n    }\n  }\n": typeof types.CreateFromSourceDocument,
    "\n  query ReadFormat($id: ID!) {\n    document(id: $id) {\n      title mimeType sizeBytes sha256 status failure attempts text\n      chunks(first: 100) { nodes { text startOffset endOffset } }\n    }\n  }\n": typeof types.ReadFormatDocument,
    "\n  query SearchFormat($query: String!, $documentIds: [ID!]) {\n    searchChunks(query: $query, documentIds: $documentIds) { totalCount }\n  }\n": typeof types.SearchFormatDocument,
    "\n  mutation ReprocessFormat($id: ID!) {\n    reprocessDocument(input: { id: $id }) { document { id } }\n  }\n": typeof types.ReprocessFormatDocument,
    "\n    query SmallBesideAFile {\n      viewer { user { name } }\n    }\n  ": typeof types.SmallBesideAFileDocument,
    "\n  query OriginalUrl($id: ID!) {\n    document(id: $id) { originalUrl }\n  }\n": typeof types.OriginalUrlDocument,
    "\n  mutation ShareOriginal($id: ID!, $visibility: Visibility!) {\n    updateDocument(input: { id: $id, expectedVersion: 1, visibility: $visibility }) {\n      document { originalUrl }\n    }\n  }\n": typeof types.ShareOriginalDocument,
    "\n  mutation DeleteOriginal($id: ID!) {\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n": typeof types.DeleteOriginalDocument,
    "\n  mutation CreateEvent($input: CreateEventInput!) {\n    createEvent(input: $input) { event { id name startsAt endsAt version } }\n  }\n": typeof types.CreateEventDocument,
    "\n  mutation UpdateEvent($input: UpdateEventInput!) {\n    updateEvent(input: $input) { event { name startsAt endsAt version } }\n  }\n": typeof types.UpdateEventDocument,
    "\n  mutation DeleteEvent($input: DeleteEventInput!) {\n    deleteEvent(input: $input) { deletedId }\n  }\n": typeof types.DeleteEventDocument,
    "\n  query Events { events { name startsAt endsAt } }\n": typeof types.EventsDocument,
    "mutation MakeChecked($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id } } }": typeof types.MakeCheckedDocument,
    "\n  mutation MakeTracks($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id version } } }\n": typeof types.MakeTracksDocument,
    "\n  query ReadOrder($id: ID!) {\n    playlist(id: $id) { version trackCount durationMs tracks(first: 100) { nodes { id position } } }\n  }\n": typeof types.ReadOrderDocument,
    "\n  mutation CreatePlaylist($input: CreatePlaylistInput!) {\n    createPlaylist(input: $input) { playlist { id name version trackCount durationMs owner { name } } }\n  }\n": typeof types.CreatePlaylistDocument,
    "\n  query ReadPlaylist($id: ID!) {\n    playlist(id: $id) {\n      id name version trackCount durationMs owner { name } createdAt updatedAt\n      tracks(first: 100) { totalCount nodes { id position durationMs audio { title } playlist { id } } }\n    }\n  }\n": typeof types.ReadPlaylistDocument,
    "\n  mutation RenamePlaylist($input: UpdatePlaylistInput!) { updatePlaylist(input: $input) { playlist { name version } } }\n": typeof types.RenamePlaylistDocument,
    "\n  mutation DeletePlaylist($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n": typeof types.DeletePlaylistDocument,
    "\n  mutation CopyPlaylist($input: CopyPlaylistInput!) {\n    copyPlaylist(input: $input) { playlist { id name version trackCount durationMs owner { name } } }\n  }\n": typeof types.CopyPlaylistDocument,
    "\n  mutation AddTracks($input: AddTracksInput!) {\n    addTracks(input: $input) {\n      playlist { version trackCount durationMs }\n      tracks { id position durationMs audio { title } }\n    }\n  }\n": typeof types.AddTracksDocument,
    "\n  mutation MoveTrack($input: MoveTrackInput!) {\n    moveTrack(input: $input) { playlist { version durationMs } track { id position } }\n  }\n": typeof types.MoveTrackDocument,
    "\n  mutation MoveTracks($input: MoveTracksInput!) {\n    moveTracks(input: $input) { playlist { version } tracks { id position } }\n  }\n": typeof types.MoveTracksDocument,
    "\n  mutation RemoveTrack($input: RemoveTrackInput!) {\n    removeTrack(input: $input) { playlist { version trackCount durationMs } removedTrackId }\n  }\n": typeof types.RemoveTrackDocument,
    "\n  query ListPlaylists($search: String, $orderBy: PlaylistOrder) {\n    playlists(search: $search, orderBy: $orderBy) { totalCount nodes { name } }\n  }\n": typeof types.ListPlaylistsDocument,
    "mutation AddMany($input: AddTracksInput!) { addTracks(input: $input) { playlist { trackCount } } }": typeof types.AddManyDocument,
    "\n        query PlaylistsOf($userId: ID!, $audioId: ID!) {\n          user(id: $userId) { playlists(orderBy: { field: NAME, direction: DESC }) { totalCount nodes { name } } }\n          audio(id: $audioId) { playlists { totalCount nodes { name } } }\n        }\n      ": typeof types.PlaylistsOfDocument,
    "\n  mutation UploadForChannel($input: UploadAudioInput!) { uploadAudio(input: $input) { audio { id } } }\n": typeof types.UploadForChannelDocument,
    "\n  mutation CreateForChannel($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id } } }\n": typeof types.CreateForChannelDocument,
    "\n  mutation AddForChannel($input: AddTracksInput!) { addTracks(input: $input) { playlist { version } } }\n": typeof types.AddForChannelDocument,
    "\n  mutation ScheduleOnChannel($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } } }\n": typeof types.ScheduleOnChannelDocument,
    "\n  query ChannelUrl($channel: String!) { channelUrl(channel: $channel) }\n": typeof types.ChannelUrlDocument,
    "\n  query PlayingOnChannel($channel: String!) { nowPlaying(channel: $channel) { track { audio { title url } } } }\n": typeof types.PlayingOnChannelDocument,
    "\n  query NowPlaying($channel: String!) {\n    nowPlaying(channel: $channel) {\n      offsetMs trackStartsAt trackEndsAt\n      track { position durationMs audio { title } playlist { name } }\n      schedule { id channel startsAt endsAt }\n    }\n  }\n": typeof types.NowPlayingDocument,
    "\n  mutation SchedulePlaying($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id endsAt } } }\n": typeof types.SchedulePlayingDocument,
    "\n  query TracksPlaying($id: ID!) { playlist(id: $id) { tracks { nodes { id audio { id title } } } } }\n": typeof types.TracksPlayingDocument,
    "\n  mutation AddWhilePlaying($input: AddTracksInput!) {\n    addTracks(input: $input) { movedSchedules { id channel endsAt version playlist { durationMs } } }\n  }\n": typeof types.AddWhilePlayingDocument,
    "\n  mutation ScheduleAndAdd($past: CreateScheduleInput!, $future: CreateScheduleInput!, $tracks: AddTracksInput!) {\n    past: createSchedule(input: $past) { schedule { id } }\n    future: createSchedule(input: $future) { schedule { id } }\n    addTracks(input: $tracks) { movedSchedules { id startsAt endsAt } }\n  }\n": typeof types.ScheduleAndAddDocument,
    "\n  mutation RemoveWhilePlaying($input: RemoveTrackInput!) {\n    removeTrack(input: $input) { movedSchedules { id endsAt } }\n  }\n": typeof types.RemoveWhilePlayingDocument,
    "\n  mutation DeleteWhilePlaying($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { movedSchedules { id endsAt } }\n  }\n": typeof types.DeleteWhilePlayingDocument,
    "\n  mutation DeletePlaying($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n": typeof types.DeletePlayingDocument,
    "\n  mutation CreateSchedule($input: CreateScheduleInput!) {\n    createSchedule(input: $input) {\n      schedule { id channel startsAt endsAt version isMoved seriesDay playlist { name } series { id } }\n    }\n  }\n": typeof types.CreateScheduleDocument,
    "\n  mutation UpdateSchedule($input: UpdateScheduleInput!) {\n    updateSchedule(input: $input) { schedule { channel startsAt endsAt version isMoved playlist { name } } }\n  }\n": typeof types.UpdateScheduleDocument,
    "\n  mutation DeleteSchedule($input: DeleteScheduleInput!) { deleteSchedule(input: $input) { deletedId } }\n": typeof types.DeleteScheduleDocument,
    "\n  query ReadSchedule($id: ID!) { schedule(id: $id) { startsAt endsAt version } }\n": typeof types.ReadScheduleDocument,
    "\n  query ListSchedules($channel: String, $from: DateTime, $to: DateTime, $first: Int, $after: String) {\n    schedules(channel: $channel, from: $from, to: $to, first: $first, after: $after) {\n      totalCount\n      nodes { startsAt playlist { name } }\n      pageInfo { endCursor hasNextPage }\n    }\n  }\n": typeof types.ListSchedulesDocument,
    "\n  query SchedulesOfPlaylist($id: ID!, $from: DateTime) {\n    playlist(id: $id) { schedules(from: $from) { nodes { channel startsAt } } }\n  }\n": typeof types.SchedulesOfPlaylistDocument,
    "\n  mutation CreateSeries($input: CreateScheduleInput!) {\n    createSchedule(input: $input) {\n      schedule { id startsAt endsAt seriesDay isMoved version series { ...Series } }\n    }\n  }\n  fragment Series on ScheduleSeries {\n    id channel timeZone startTime weekdays everyWeeks firstDay lastDay skippedDays blockedDays placedUntil version\n    playlist { name }\n  }\n": typeof types.CreateSeriesDocument,
    "\n  query ReadSeries($id: ID!, $from: DateTime, $first: Int) {\n    scheduleSeries(id: $id) {\n      ...Series\n      schedules(from: $from, first: $first) {\n        totalCount\n        nodes { id channel startsAt endsAt seriesDay isMoved version }\n      }\n    }\n  }\n": typeof types.ReadSeriesDocument,
    "\n  mutation UpdateSeries($input: UpdateScheduleSeriesInput!) {\n    updateScheduleSeries(input: $input) { scheduleSeries { ...Series } }\n  }\n": typeof types.UpdateSeriesDocument,
    "\n  mutation DeleteSeries($input: DeleteScheduleSeriesInput!) { deleteScheduleSeries(input: $input) { deletedId } }\n": typeof types.DeleteSeriesDocument,
    "\n  mutation MoveOccurrence($input: UpdateScheduleInput!) {\n    updateSchedule(input: $input) { schedule { startsAt endsAt isMoved version seriesDay } }\n  }\n": typeof types.MoveOccurrenceDocument,
    "\n  mutation SkipOccurrence($input: DeleteScheduleInput!) { deleteSchedule(input: $input) { deletedId } }\n": typeof types.SkipOccurrenceDocument,
    "\n  mutation DeletePlaylistOfSeries($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n": typeof types.DeletePlaylistOfSeriesDocument,
    "\n  query SeriesOfPlaylist($id: ID!) { playlist(id: $id) { series { totalCount nodes { firstDay } } } }\n": typeof types.SeriesOfPlaylistDocument,
    "\n  mutation CreateAtOnce($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id version } } }\n": typeof types.CreateAtOnceDocument,
    "\n  mutation MoveAtOnce($input: UpdateScheduleInput!) { updateSchedule(input: $input) { schedule { version } } }\n": typeof types.MoveAtOnceDocument,
    "\n  mutation AddAtOnce($input: AddTracksInput!) { addTracks(input: $input) { movedSchedules { id } } }\n": typeof types.AddAtOnceDocument,
    "\n  mutation ChangeAtOnce($input: UpdateScheduleSeriesInput!) {\n    updateScheduleSeries(input: $input) { scheduleSeries { version } }\n  }\n": typeof types.ChangeAtOnceDocument,
    "\n  query Titles($search: String!) {\n    documents(first: 100, filter: { search: $search }) { nodes { title } }\n    viewer { user { documents(first: 100, filter: { search: $search }) { totalCount } } }\n  }\n": typeof types.TitlesDocument,
    "\n  query Texts($query: String!) {\n    searchChunks(first: 100, query: $query) { nodes { chunk { document { title } } } }\n  }\n": typeof types.TextsDocument,
    "\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      accessToken\n      refreshToken\n      user { id }\n    }\n  }\n": typeof types.SignUpDocument,
    "\n  mutation CreateDocument($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id version }\n    }\n  }\n": typeof types.CreateDocumentDocument,
    "\n  mutation Upload($input: CreateDocumentInput!) {\n    createDocument(input: $input) { document { id title } }\n  }\n": typeof types.UploadDocument,
    "\n  mutation LogCreate($title: String!) {\n    createDocument(input: { title: $title, source: { text: $title } }) { document { id } }\n  }\n": typeof types.LogCreateDocument,
    "\n  mutation LogDelete($id: ID!) {\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n": typeof types.LogDeleteDocument,
    "\n  mutation RaceIncrement($id: ID!, $version: Int!, $title: String!) {\n    updateDocument(input: { id: $id, expectedVersion: $version, title: $title }) { document { version title } }\n  }\n": typeof types.RaceIncrementDocument,
    "\n  mutation RaceDemote($id: ID!) {\n    setUserRole(input: { userId: $id, role: VIEWER }) { user { role } }\n  }\n": typeof types.RaceDemoteDocument,
    "\n  mutation RaceCreate($text: String!) {\n    createDocument(input: { source: { text: $text } }) { isDuplicate document { id } }\n  }\n": typeof types.RaceCreateDocument,
    "\n  mutation UnitSteps($create: CreateDocumentInput!, $update: UpdateDocumentInput!, $delete: DeleteDocumentInput!) {\n    a: createDocument(input: $create) { document { id } }\n    b: updateDocument(input: $update) { document { title version } }\n    c: deleteDocument(input: $delete) { deletedId }\n    d: createDocument(input: { source: { text: \"Never reached when c fails.\" } }) { document { id } }\n  }\n": typeof types.UnitStepsDocument,
    "\n  mutation UnitCreate($input: CreateDocumentInput!) {\n    createDocument(input: $input) { isDuplicate document { id title version status } }\n  }\n": typeof types.UnitCreateDocument,
    "\n  mutation UnitCreateAndList($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title version owner { documents(first: 100) { nodes { id } } } }\n    }\n  }\n": typeof types.UnitCreateAndListDocument,
    "\n  mutation UnitUpdate($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { id title version } }\n  }\n": typeof types.UnitUpdateDocument,
    "\n  mutation UnitRefresh($token: String!) {\n    refreshSession(input: { refreshToken: $token }) { accessToken refreshToken }\n  }\n": typeof types.UnitRefreshDocument,
    "\n  mutation UnitRefreshAndFail($token: String!, $id: ID!) {\n    refreshSession(input: { refreshToken: $token }) { accessToken }\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n": typeof types.UnitRefreshAndFailDocument,
    "\n      mutation UnitDeep {\n        first: createDocument(input: { source: { text: \"The first of two.\" } }) { isDuplicate }\n        second: createDocument(input: { source: { text: \"The second of two.\" } }) {\n          document { owner { documents(first: 100000) { nodes { id } } } }\n        }\n      }\n    ": typeof types.UnitDeepDocument,
    "\n      mutation UnitTwice($first: UpdateDocumentInput!, $second: UpdateDocumentInput!, $id: DeleteDocumentInput!) {\n        first: updateDocument(input: $first) { document { title version owner { documents { totalCount nodes { title } } } } }\n        second: updateDocument(input: $second) { document { title version owner { documents { totalCount nodes { title } } } } }\n        third: deleteDocument(input: $id) { deletedId }\n        fourth: createDocument(input: { source: { text: \"In its place.\" } }) {\n          document { owner { documents { totalCount nodes { title } } } }\n        }\n      }\n    ": typeof types.UnitTwiceDocument,
    "\n          mutation UnitAlways($input: CreateDocumentInput!) {\n            fine: createDocument(input: { source: { text: \"Nobody is in the way of this.\" } }) { isDuplicate }\n            never: createDocument(input: $input) { isDuplicate }\n          }\n        ": typeof types.UnitAlwaysDocument,
    "\n  mutation CreateFromUpload($uploadId: ID!) {\n    createDocument(input: { source: { uploadId: $uploadId } }) {\n      isDuplicate\n      document { id title sha256 }\n    }\n  }\n": typeof types.CreateFromUploadDocument,
    "\n  mutation SignUpAccount($input: SignUpInput!) {\n    signUp(input: $input) { accessToken refreshToken expiresAt user { id name email role } }\n  }\n": typeof types.SignUpAccountDocument,
    "\n  mutation SignInAccount($input: SignInInput!) {\n    signIn(input: $input) { accessToken refreshToken expiresAt user { id name email role } }\n  }\n": typeof types.SignInAccountDocument,
    "\n  mutation RefreshAccount($input: RefreshSessionInput) {\n    refreshSession(input: $input) { accessToken refreshToken user { id } }\n  }\n": typeof types.RefreshAccountDocument,
    "\n  mutation SignOutAccount {\n    signOut { ok }\n  }\n": typeof types.SignOutAccountDocument,
    "\n  query MeAccount {\n    viewer { user { id email role } }\n  }\n": typeof types.MeAccountDocument,
    "\n  query UserAccount($id: ID!) {\n    user(id: $id) { name email role }\n  }\n": typeof types.UserAccountDocument,
    "\n  query UsersAccount($first: Int) {\n    users(first: $first) { totalCount nodes { id email } }\n  }\n": typeof types.UsersAccountDocument,
    "\n  mutation SetRoleAccount($input: SetUserRoleInput!) {\n    setUserRole(input: $input) { user { id role email } }\n  }\n": typeof types.SetRoleAccountDocument,
    "\n  query LibraryAccount {\n    documents { totalCount nodes { title text owner { name email } } }\n  }\n": typeof types.LibraryAccountDocument,
    "\n  mutation CreateAccount($input: CreateDocumentInput!) {\n    createDocument(input: $input) { document { id } }\n  }\n": typeof types.CreateAccountDocument,
    "\n  query ChunksForVisibility($id: ID!) {\n    document(id: $id) { chunks(first: 100) { nodes { id } } }\n  }\n": typeof types.ChunksForVisibilityDocument,
    "\n  query Everywhere($hidden: ID!, $chunk: ID!, $sharedChunk: ID!, $ids: [ID!]!, $owner: ID!) {\n    document(id: $hidden) { title text owner { name } chunks(first: 5) { totalCount } }\n    documents(first: 100, orderBy: { field: TITLE, direction: ASC }) { totalCount nodes { title text } edges { node { title } } }\n    onlyPrivate: documents(filter: { visibility: PRIVATE, ownerId: $owner }) { totalCount nodes { title } }\n    byTitle: documents(filter: { search: \"diary\" }) { totalCount nodes { title } }\n    fromTheEnd: documents(last: 1, orderBy: { field: TITLE, direction: DESC }) { nodes { title } pageInfo { hasPreviousPage } }\n    node(id: $hidden) { ... on Document { title text chunks { totalCount } } }\n    chunk: node(id: $chunk) { ... on Chunk { text document { title } neighbours(before: 10, after: 10) { text } } }\n    sharedChunk: node(id: $sharedChunk) { ... on Chunk { text document { title } } }\n    nodes(ids: $ids) { id }\n    user(id: $owner) {\n      documents(orderBy: { field: TITLE, direction: ASC }) { totalCount nodes { title chunks(first: 5) { totalCount nodes { text } } } }\n    }\n    users(search: \"Ada\") { nodes { documents { totalCount nodes { title text } } } }\n    searchChunks(query: \"zebras\") { totalCount nodes { snippet chunk { document { title } } } }\n    searchInIt: searchChunks(query: \"zebras\", documentIds: [$hidden]) { totalCount nodes { snippet } }\n  }\n": typeof types.EverywhereDocument,
    "\n  mutation UpdateForVisibility($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version } }\n  }\n": typeof types.UpdateForVisibilityDocument,
    "\n  mutation DeleteForVisibility($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n": typeof types.DeleteForVisibilityDocument,
    "\n  mutation ReprocessForVisibility($input: ReprocessDocumentInput!) {\n    reprocessDocument(input: $input) { document { status } }\n  }\n": typeof types.ReprocessForVisibilityDocument,
};
const documents: Documents = {
    "\n  query Waveform($id: ID!) {\n    audio(id: $id) { title durationMs url waveformUrl peaks(count: 50) }\n  }\n": types.WaveformDocument,
    "\n  mutation UploadSound($input: UploadAudioInput!) {\n    uploadAudio(input: $input) {\n      isDuplicate\n      audio { id title artist filename status version mimeType sizeBytes sha256 durationMs url uploadedBy { name } }\n    }\n  }\n": types.UploadSoundDocument,
    "\n  query ReadAudio($id: ID!, $count: Int) {\n    audio(id: $id) {\n      id title artist album filename status version mimeType sizeBytes sha256 durationMs failure progress attempts\n      loudnessLufs truePeakDb leadingSilenceMs trailingSilenceMs url coverUrl waveformUrl peaks(count: $count)\n      category { name } event { name } uploadedBy { name } uploadedAt updatedAt processedAt\n    }\n  }\n": types.ReadAudioDocument,
    "\n  mutation UpdateSound($input: UpdateAudioInput!) {\n    updateAudio(input: $input) { audio { version title artist album category { name } event { name } } }\n  }\n": types.UpdateSoundDocument,
    "\n  mutation DeleteSound($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { deletedId }\n  }\n": types.DeleteSoundDocument,
    "\n  mutation ReprocessSound($input: ReprocessAudioInput!) {\n    reprocessAudio(input: $input) { audio { status version durationMs } }\n  }\n": types.ReprocessSoundDocument,
    "\n  query ListSounds($filter: AudioFilter, $orderBy: AudioOrder, $first: Int) {\n    audios(filter: $filter, orderBy: $orderBy, first: $first) { totalCount nodes { title } }\n  }\n": types.ListSoundsDocument,
    "mutation MakeCategory { createCategory(input: { name: \"Music\" }) { category { id } } }": types.MakeCategoryDocument,
    "mutation MakeEvent { createEvent(input: { name: \"Opening\" }) { event { id } } }": types.MakeEventDocument,
    "\n  mutation UploadForPlaylist($input: UploadAudioInput!) {\n    uploadAudio(input: $input) { audio { id } }\n  }\n": types.UploadForPlaylistDocument,
    "\n  mutation ReprocessInPlaylist($id: ID!) { reprocessAudio(input: { id: $id }) { audio { status } } }\n": types.ReprocessInPlaylistDocument,
    "\n  mutation DeleteFromPlaylist($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { deletedId movedSchedules { id version startsAt endsAt } }\n  }\n": types.DeleteFromPlaylistDocument,
    "\n  query ReadInPlaylist($id: ID!) { audio(id: $id) { version status failure durationMs attempts } }\n": types.ReadInPlaylistDocument,
    "\n  mutation MakePlaylistOfAudio($name: String!, $audioIds: [ID!]) {\n    createPlaylist(input: { name: $name, audioIds: $audioIds }) { playlist { id } }\n  }\n": types.MakePlaylistOfAudioDocument,
    "\n  mutation ScheduleAudio($playlistId: ID!, $channel: String!, $startsAt: DateTime!) {\n    createSchedule(input: { playlistId: $playlistId, channel: $channel, startsAt: $startsAt }) { schedule { id version } }\n  }\n": types.ScheduleAudioDocument,
    "\n  mutation MoveScheduleAway($input: UpdateScheduleInput!) { updateSchedule(input: $input) { schedule { version } } }\n": types.MoveScheduleAwayDocument,
    "\n  query ReadPlaylistOfAudio($id: ID!) {\n    playlist(id: $id) { version trackCount durationMs schedules { nodes { id version startsAt endsAt } } }\n  }\n": types.ReadPlaylistOfAudioDocument,
    "\n      mutation AddDeletedAudio($playlistId: ID!, $id: ID!) {\n        addTracks(input: { playlistId: $playlistId, audioIds: [$id] }) { playlist { version } }\n      }\n    ": types.AddDeletedAudioDocument,
    "\n  mutation CreateCategory($name: String!) {\n    createCategory(input: { name: $name }) { category { id name version } }\n  }\n": types.CreateCategoryDocument,
    "\n  mutation UpdateCategory($input: UpdateCategoryInput!) {\n    updateCategory(input: $input) { category { name version } }\n  }\n": types.UpdateCategoryDocument,
    "\n  mutation DeleteCategory($input: DeleteCategoryInput!) {\n    deleteCategory(input: $input) { deletedId }\n  }\n": types.DeleteCategoryDocument,
    "\n  query Categories { categories { id name version } }\n": types.CategoriesDocument,
    "\n  mutation CreateBadInput($input: CreateDocumentInput!) {\n    createDocument(input: $input) { isDuplicate document { id title text sizeBytes } }\n  }\n": types.CreateBadInputDocument,
    "\n  mutation UpdateBadInput($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { version } }\n  }\n": types.UpdateBadInputDocument,
    "\n  mutation DeleteBadInput($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n": types.DeleteBadInputDocument,
    "\n  mutation ReprocessBadInput($input: ReprocessDocumentInput!) {\n    reprocessDocument(input: $input) { document { status version } }\n  }\n": types.ReprocessBadInputDocument,
    "\n  mutation SignUpBadInput($input: SignUpInput!) {\n    signUp(input: $input) { user { id } }\n  }\n": types.SignUpBadInputDocument,
    "\n  mutation SignInBadInput($input: SignInInput!) {\n    signIn(input: $input) { user { id } }\n  }\n": types.SignInBadInputDocument,
    "\n  query DocumentsOfBadInput(\n    $first: Int\n    $after: String\n    $last: Int\n    $before: String\n    $orderBy: DocumentOrder\n    $filter: DocumentFilter\n  ) {\n    documents(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {\n      edges { cursor node { title } }\n    }\n  }\n": types.DocumentsOfBadInputDocument,
    "\n  query UsersOfBadInput($first: Int, $after: String, $search: String) {\n    users(first: $first, after: $after, search: $search) { nodes { id } }\n  }\n": types.UsersOfBadInputDocument,
    "\n  query DocumentOfBadInput($id: ID!) {\n    document(id: $id) { id }\n  }\n": types.DocumentOfBadInputDocument,
    "\n  query ChunksOfBadInput($id: ID!, $first: Int) {\n    document(id: $id) { chunks(first: $first) { totalCount } }\n  }\n": types.ChunksOfBadInputDocument,
    "\n  query NodeOfBadInput($id: ID!) {\n    node(id: $id) { id }\n  }\n": types.NodeOfBadInputDocument,
    "\n  query NodesOfBadInput($ids: [ID!]!) {\n    nodes(ids: $ids) { id }\n  }\n": types.NodesOfBadInputDocument,
    "\n  query SearchOfBadInput($query: String!, $documentIds: [ID!]) {\n    searchChunks(query: $query, documentIds: $documentIds) { totalCount }\n  }\n": types.SearchOfBadInputDocument,
    "\n  mutation ConflictReprocess($id: ID!) {\n    reprocessDocument(input: { id: $id }) { document { id } }\n  }\n": types.ConflictReprocessDocument,
    "\n  mutation ConflictRename($id: ID!, $version: Int!) {\n    updateDocument(input: { id: $id, expectedVersion: $version, title: \"Another title\" }) { document { id } }\n  }\n": types.ConflictRenameDocument,
    "\n  query ReadDocument($id: ID!, $first: Int, $after: String) {\n    document(id: $id) {\n      title\n      status\n      version\n      progress\n      attempts\n      mimeType\n      sizeBytes\n      processedAt\n      text\n      chunks(first: $first, after: $after) {\n        totalCount\n        nodes { index text startOffset endOffset tokenCount }\n        pageInfo { hasNextPage hasPreviousPage endCursor }\n      }\n    }\n  }\n": types.ReadDocumentDocument,
    "\n  query Search($query: String!, $first: Int, $after: String, $documentIds: [ID!]) {\n    searchChunks(query: $query, first: $first, after: $after, documentIds: $documentIds) {\n      totalCount\n      nodes { score snippet chunk { id index text document { id title } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.SearchDocument,
    "\n  mutation Rename($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version updatedAt } }\n  }\n": types.RenameDocument,
    "\n  mutation Delete($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n": types.DeleteDocument,
    "\n  mutation CreateFromSource($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title status version mimeType sizeBytes sha256 visibility owner { id email } }\n    }\n  }\n": types.CreateFromSourceDocument,
    "\n  query ReadFormat($id: ID!) {\n    document(id: $id) {\n      title mimeType sizeBytes sha256 status failure attempts text\n      chunks(first: 100) { nodes { text startOffset endOffset } }\n    }\n  }\n": types.ReadFormatDocument,
    "\n  query SearchFormat($query: String!, $documentIds: [ID!]) {\n    searchChunks(query: $query, documentIds: $documentIds) { totalCount }\n  }\n": types.SearchFormatDocument,
    "\n  mutation ReprocessFormat($id: ID!) {\n    reprocessDocument(input: { id: $id }) { document { id } }\n  }\n": types.ReprocessFormatDocument,
    "\n    query SmallBesideAFile {\n      viewer { user { name } }\n    }\n  ": types.SmallBesideAFileDocument,
    "\n  query OriginalUrl($id: ID!) {\n    document(id: $id) { originalUrl }\n  }\n": types.OriginalUrlDocument,
    "\n  mutation ShareOriginal($id: ID!, $visibility: Visibility!) {\n    updateDocument(input: { id: $id, expectedVersion: 1, visibility: $visibility }) {\n      document { originalUrl }\n    }\n  }\n": types.ShareOriginalDocument,
    "\n  mutation DeleteOriginal($id: ID!) {\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n": types.DeleteOriginalDocument,
    "\n  mutation CreateEvent($input: CreateEventInput!) {\n    createEvent(input: $input) { event { id name startsAt endsAt version } }\n  }\n": types.CreateEventDocument,
    "\n  mutation UpdateEvent($input: UpdateEventInput!) {\n    updateEvent(input: $input) { event { name startsAt endsAt version } }\n  }\n": types.UpdateEventDocument,
    "\n  mutation DeleteEvent($input: DeleteEventInput!) {\n    deleteEvent(input: $input) { deletedId }\n  }\n": types.DeleteEventDocument,
    "\n  query Events { events { name startsAt endsAt } }\n": types.EventsDocument,
    "mutation MakeChecked($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id } } }": types.MakeCheckedDocument,
    "\n  mutation MakeTracks($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id version } } }\n": types.MakeTracksDocument,
    "\n  query ReadOrder($id: ID!) {\n    playlist(id: $id) { version trackCount durationMs tracks(first: 100) { nodes { id position } } }\n  }\n": types.ReadOrderDocument,
    "\n  mutation CreatePlaylist($input: CreatePlaylistInput!) {\n    createPlaylist(input: $input) { playlist { id name version trackCount durationMs owner { name } } }\n  }\n": types.CreatePlaylistDocument,
    "\n  query ReadPlaylist($id: ID!) {\n    playlist(id: $id) {\n      id name version trackCount durationMs owner { name } createdAt updatedAt\n      tracks(first: 100) { totalCount nodes { id position durationMs audio { title } playlist { id } } }\n    }\n  }\n": types.ReadPlaylistDocument,
    "\n  mutation RenamePlaylist($input: UpdatePlaylistInput!) { updatePlaylist(input: $input) { playlist { name version } } }\n": types.RenamePlaylistDocument,
    "\n  mutation DeletePlaylist($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n": types.DeletePlaylistDocument,
    "\n  mutation CopyPlaylist($input: CopyPlaylistInput!) {\n    copyPlaylist(input: $input) { playlist { id name version trackCount durationMs owner { name } } }\n  }\n": types.CopyPlaylistDocument,
    "\n  mutation AddTracks($input: AddTracksInput!) {\n    addTracks(input: $input) {\n      playlist { version trackCount durationMs }\n      tracks { id position durationMs audio { title } }\n    }\n  }\n": types.AddTracksDocument,
    "\n  mutation MoveTrack($input: MoveTrackInput!) {\n    moveTrack(input: $input) { playlist { version durationMs } track { id position } }\n  }\n": types.MoveTrackDocument,
    "\n  mutation MoveTracks($input: MoveTracksInput!) {\n    moveTracks(input: $input) { playlist { version } tracks { id position } }\n  }\n": types.MoveTracksDocument,
    "\n  mutation RemoveTrack($input: RemoveTrackInput!) {\n    removeTrack(input: $input) { playlist { version trackCount durationMs } removedTrackId }\n  }\n": types.RemoveTrackDocument,
    "\n  query ListPlaylists($search: String, $orderBy: PlaylistOrder) {\n    playlists(search: $search, orderBy: $orderBy) { totalCount nodes { name } }\n  }\n": types.ListPlaylistsDocument,
    "mutation AddMany($input: AddTracksInput!) { addTracks(input: $input) { playlist { trackCount } } }": types.AddManyDocument,
    "\n        query PlaylistsOf($userId: ID!, $audioId: ID!) {\n          user(id: $userId) { playlists(orderBy: { field: NAME, direction: DESC }) { totalCount nodes { name } } }\n          audio(id: $audioId) { playlists { totalCount nodes { name } } }\n        }\n      ": types.PlaylistsOfDocument,
    "\n  mutation UploadForChannel($input: UploadAudioInput!) { uploadAudio(input: $input) { audio { id } } }\n": types.UploadForChannelDocument,
    "\n  mutation CreateForChannel($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id } } }\n": types.CreateForChannelDocument,
    "\n  mutation AddForChannel($input: AddTracksInput!) { addTracks(input: $input) { playlist { version } } }\n": types.AddForChannelDocument,
    "\n  mutation ScheduleOnChannel($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } } }\n": types.ScheduleOnChannelDocument,
    "\n  query ChannelUrl($channel: String!) { channelUrl(channel: $channel) }\n": types.ChannelUrlDocument,
    "\n  query PlayingOnChannel($channel: String!) { nowPlaying(channel: $channel) { track { audio { title url } } } }\n": types.PlayingOnChannelDocument,
    "\n  query NowPlaying($channel: String!) {\n    nowPlaying(channel: $channel) {\n      offsetMs trackStartsAt trackEndsAt\n      track { position durationMs audio { title } playlist { name } }\n      schedule { id channel startsAt endsAt }\n    }\n  }\n": types.NowPlayingDocument,
    "\n  mutation SchedulePlaying($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id endsAt } } }\n": types.SchedulePlayingDocument,
    "\n  query TracksPlaying($id: ID!) { playlist(id: $id) { tracks { nodes { id audio { id title } } } } }\n": types.TracksPlayingDocument,
    "\n  mutation AddWhilePlaying($input: AddTracksInput!) {\n    addTracks(input: $input) { movedSchedules { id channel endsAt version playlist { durationMs } } }\n  }\n": types.AddWhilePlayingDocument,
    "\n  mutation ScheduleAndAdd($past: CreateScheduleInput!, $future: CreateScheduleInput!, $tracks: AddTracksInput!) {\n    past: createSchedule(input: $past) { schedule { id } }\n    future: createSchedule(input: $future) { schedule { id } }\n    addTracks(input: $tracks) { movedSchedules { id startsAt endsAt } }\n  }\n": types.ScheduleAndAddDocument,
    "\n  mutation RemoveWhilePlaying($input: RemoveTrackInput!) {\n    removeTrack(input: $input) { movedSchedules { id endsAt } }\n  }\n": types.RemoveWhilePlayingDocument,
    "\n  mutation DeleteWhilePlaying($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { movedSchedules { id endsAt } }\n  }\n": types.DeleteWhilePlayingDocument,
    "\n  mutation DeletePlaying($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n": types.DeletePlayingDocument,
    "\n  mutation CreateSchedule($input: CreateScheduleInput!) {\n    createSchedule(input: $input) {\n      schedule { id channel startsAt endsAt version isMoved seriesDay playlist { name } series { id } }\n    }\n  }\n": types.CreateScheduleDocument,
    "\n  mutation UpdateSchedule($input: UpdateScheduleInput!) {\n    updateSchedule(input: $input) { schedule { channel startsAt endsAt version isMoved playlist { name } } }\n  }\n": types.UpdateScheduleDocument,
    "\n  mutation DeleteSchedule($input: DeleteScheduleInput!) { deleteSchedule(input: $input) { deletedId } }\n": types.DeleteScheduleDocument,
    "\n  query ReadSchedule($id: ID!) { schedule(id: $id) { startsAt endsAt version } }\n": types.ReadScheduleDocument,
    "\n  query ListSchedules($channel: String, $from: DateTime, $to: DateTime, $first: Int, $after: String) {\n    schedules(channel: $channel, from: $from, to: $to, first: $first, after: $after) {\n      totalCount\n      nodes { startsAt playlist { name } }\n      pageInfo { endCursor hasNextPage }\n    }\n  }\n": types.ListSchedulesDocument,
    "\n  query SchedulesOfPlaylist($id: ID!, $from: DateTime) {\n    playlist(id: $id) { schedules(from: $from) { nodes { channel startsAt } } }\n  }\n": types.SchedulesOfPlaylistDocument,
    "\n  mutation CreateSeries($input: CreateScheduleInput!) {\n    createSchedule(input: $input) {\n      schedule { id startsAt endsAt seriesDay isMoved version series { ...Series } }\n    }\n  }\n  fragment Series on ScheduleSeries {\n    id channel timeZone startTime weekdays everyWeeks firstDay lastDay skippedDays blockedDays placedUntil version\n    playlist { name }\n  }\n": types.CreateSeriesDocument,
    "\n  query ReadSeries($id: ID!, $from: DateTime, $first: Int) {\n    scheduleSeries(id: $id) {\n      ...Series\n      schedules(from: $from, first: $first) {\n        totalCount\n        nodes { id channel startsAt endsAt seriesDay isMoved version }\n      }\n    }\n  }\n": types.ReadSeriesDocument,
    "\n  mutation UpdateSeries($input: UpdateScheduleSeriesInput!) {\n    updateScheduleSeries(input: $input) { scheduleSeries { ...Series } }\n  }\n": types.UpdateSeriesDocument,
    "\n  mutation DeleteSeries($input: DeleteScheduleSeriesInput!) { deleteScheduleSeries(input: $input) { deletedId } }\n": types.DeleteSeriesDocument,
    "\n  mutation MoveOccurrence($input: UpdateScheduleInput!) {\n    updateSchedule(input: $input) { schedule { startsAt endsAt isMoved version seriesDay } }\n  }\n": types.MoveOccurrenceDocument,
    "\n  mutation SkipOccurrence($input: DeleteScheduleInput!) { deleteSchedule(input: $input) { deletedId } }\n": types.SkipOccurrenceDocument,
    "\n  mutation DeletePlaylistOfSeries($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n": types.DeletePlaylistOfSeriesDocument,
    "\n  query SeriesOfPlaylist($id: ID!) { playlist(id: $id) { series { totalCount nodes { firstDay } } } }\n": types.SeriesOfPlaylistDocument,
    "\n  mutation CreateAtOnce($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id version } } }\n": types.CreateAtOnceDocument,
    "\n  mutation MoveAtOnce($input: UpdateScheduleInput!) { updateSchedule(input: $input) { schedule { version } } }\n": types.MoveAtOnceDocument,
    "\n  mutation AddAtOnce($input: AddTracksInput!) { addTracks(input: $input) { movedSchedules { id } } }\n": types.AddAtOnceDocument,
    "\n  mutation ChangeAtOnce($input: UpdateScheduleSeriesInput!) {\n    updateScheduleSeries(input: $input) { scheduleSeries { version } }\n  }\n": types.ChangeAtOnceDocument,
    "\n  query Titles($search: String!) {\n    documents(first: 100, filter: { search: $search }) { nodes { title } }\n    viewer { user { documents(first: 100, filter: { search: $search }) { totalCount } } }\n  }\n": types.TitlesDocument,
    "\n  query Texts($query: String!) {\n    searchChunks(first: 100, query: $query) { nodes { chunk { document { title } } } }\n  }\n": types.TextsDocument,
    "\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      accessToken\n      refreshToken\n      user { id }\n    }\n  }\n": types.SignUpDocument,
    "\n  mutation CreateDocument($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id version }\n    }\n  }\n": types.CreateDocumentDocument,
    "\n  mutation Upload($input: CreateDocumentInput!) {\n    createDocument(input: $input) { document { id title } }\n  }\n": types.UploadDocument,
    "\n  mutation LogCreate($title: String!) {\n    createDocument(input: { title: $title, source: { text: $title } }) { document { id } }\n  }\n": types.LogCreateDocument,
    "\n  mutation LogDelete($id: ID!) {\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n": types.LogDeleteDocument,
    "\n  mutation RaceIncrement($id: ID!, $version: Int!, $title: String!) {\n    updateDocument(input: { id: $id, expectedVersion: $version, title: $title }) { document { version title } }\n  }\n": types.RaceIncrementDocument,
    "\n  mutation RaceDemote($id: ID!) {\n    setUserRole(input: { userId: $id, role: VIEWER }) { user { role } }\n  }\n": types.RaceDemoteDocument,
    "\n  mutation RaceCreate($text: String!) {\n    createDocument(input: { source: { text: $text } }) { isDuplicate document { id } }\n  }\n": types.RaceCreateDocument,
    "\n  mutation UnitSteps($create: CreateDocumentInput!, $update: UpdateDocumentInput!, $delete: DeleteDocumentInput!) {\n    a: createDocument(input: $create) { document { id } }\n    b: updateDocument(input: $update) { document { title version } }\n    c: deleteDocument(input: $delete) { deletedId }\n    d: createDocument(input: { source: { text: \"Never reached when c fails.\" } }) { document { id } }\n  }\n": types.UnitStepsDocument,
    "\n  mutation UnitCreate($input: CreateDocumentInput!) {\n    createDocument(input: $input) { isDuplicate document { id title version status } }\n  }\n": types.UnitCreateDocument,
    "\n  mutation UnitCreateAndList($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title version owner { documents(first: 100) { nodes { id } } } }\n    }\n  }\n": types.UnitCreateAndListDocument,
    "\n  mutation UnitUpdate($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { id title version } }\n  }\n": types.UnitUpdateDocument,
    "\n  mutation UnitRefresh($token: String!) {\n    refreshSession(input: { refreshToken: $token }) { accessToken refreshToken }\n  }\n": types.UnitRefreshDocument,
    "\n  mutation UnitRefreshAndFail($token: String!, $id: ID!) {\n    refreshSession(input: { refreshToken: $token }) { accessToken }\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n": types.UnitRefreshAndFailDocument,
    "\n      mutation UnitDeep {\n        first: createDocument(input: { source: { text: \"The first of two.\" } }) { isDuplicate }\n        second: createDocument(input: { source: { text: \"The second of two.\" } }) {\n          document { owner { documents(first: 100000) { nodes { id } } } }\n        }\n      }\n    ": types.UnitDeepDocument,
    "\n      mutation UnitTwice($first: UpdateDocumentInput!, $second: UpdateDocumentInput!, $id: DeleteDocumentInput!) {\n        first: updateDocument(input: $first) { document { title version owner { documents { totalCount nodes { title } } } } }\n        second: updateDocument(input: $second) { document { title version owner { documents { totalCount nodes { title } } } } }\n        third: deleteDocument(input: $id) { deletedId }\n        fourth: createDocument(input: { source: { text: \"In its place.\" } }) {\n          document { owner { documents { totalCount nodes { title } } } }\n        }\n      }\n    ": types.UnitTwiceDocument,
    "\n          mutation UnitAlways($input: CreateDocumentInput!) {\n            fine: createDocument(input: { source: { text: \"Nobody is in the way of this.\" } }) { isDuplicate }\n            never: createDocument(input: $input) { isDuplicate }\n          }\n        ": types.UnitAlwaysDocument,
    "\n  mutation CreateFromUpload($uploadId: ID!) {\n    createDocument(input: { source: { uploadId: $uploadId } }) {\n      isDuplicate\n      document { id title sha256 }\n    }\n  }\n": types.CreateFromUploadDocument,
    "\n  mutation SignUpAccount($input: SignUpInput!) {\n    signUp(input: $input) { accessToken refreshToken expiresAt user { id name email role } }\n  }\n": types.SignUpAccountDocument,
    "\n  mutation SignInAccount($input: SignInInput!) {\n    signIn(input: $input) { accessToken refreshToken expiresAt user { id name email role } }\n  }\n": types.SignInAccountDocument,
    "\n  mutation RefreshAccount($input: RefreshSessionInput) {\n    refreshSession(input: $input) { accessToken refreshToken user { id } }\n  }\n": types.RefreshAccountDocument,
    "\n  mutation SignOutAccount {\n    signOut { ok }\n  }\n": types.SignOutAccountDocument,
    "\n  query MeAccount {\n    viewer { user { id email role } }\n  }\n": types.MeAccountDocument,
    "\n  query UserAccount($id: ID!) {\n    user(id: $id) { name email role }\n  }\n": types.UserAccountDocument,
    "\n  query UsersAccount($first: Int) {\n    users(first: $first) { totalCount nodes { id email } }\n  }\n": types.UsersAccountDocument,
    "\n  mutation SetRoleAccount($input: SetUserRoleInput!) {\n    setUserRole(input: $input) { user { id role email } }\n  }\n": types.SetRoleAccountDocument,
    "\n  query LibraryAccount {\n    documents { totalCount nodes { title text owner { name email } } }\n  }\n": types.LibraryAccountDocument,
    "\n  mutation CreateAccount($input: CreateDocumentInput!) {\n    createDocument(input: $input) { document { id } }\n  }\n": types.CreateAccountDocument,
    "\n  query ChunksForVisibility($id: ID!) {\n    document(id: $id) { chunks(first: 100) { nodes { id } } }\n  }\n": types.ChunksForVisibilityDocument,
    "\n  query Everywhere($hidden: ID!, $chunk: ID!, $sharedChunk: ID!, $ids: [ID!]!, $owner: ID!) {\n    document(id: $hidden) { title text owner { name } chunks(first: 5) { totalCount } }\n    documents(first: 100, orderBy: { field: TITLE, direction: ASC }) { totalCount nodes { title text } edges { node { title } } }\n    onlyPrivate: documents(filter: { visibility: PRIVATE, ownerId: $owner }) { totalCount nodes { title } }\n    byTitle: documents(filter: { search: \"diary\" }) { totalCount nodes { title } }\n    fromTheEnd: documents(last: 1, orderBy: { field: TITLE, direction: DESC }) { nodes { title } pageInfo { hasPreviousPage } }\n    node(id: $hidden) { ... on Document { title text chunks { totalCount } } }\n    chunk: node(id: $chunk) { ... on Chunk { text document { title } neighbours(before: 10, after: 10) { text } } }\n    sharedChunk: node(id: $sharedChunk) { ... on Chunk { text document { title } } }\n    nodes(ids: $ids) { id }\n    user(id: $owner) {\n      documents(orderBy: { field: TITLE, direction: ASC }) { totalCount nodes { title chunks(first: 5) { totalCount nodes { text } } } }\n    }\n    users(search: \"Ada\") { nodes { documents { totalCount nodes { title text } } } }\n    searchChunks(query: \"zebras\") { totalCount nodes { snippet chunk { document { title } } } }\n    searchInIt: searchChunks(query: \"zebras\", documentIds: [$hidden]) { totalCount nodes { snippet } }\n  }\n": types.EverywhereDocument,
    "\n  mutation UpdateForVisibility($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version } }\n  }\n": types.UpdateForVisibilityDocument,
    "\n  mutation DeleteForVisibility($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n": types.DeleteForVisibilityDocument,
    "\n  mutation ReprocessForVisibility($input: ReprocessDocumentInput!) {\n    reprocessDocument(input: $input) { document { status } }\n  }\n": types.ReprocessForVisibilityDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Waveform($id: ID!) {\n    audio(id: $id) { title durationMs url waveformUrl peaks(count: 50) }\n  }\n"): (typeof documents)["\n  query Waveform($id: ID!) {\n    audio(id: $id) { title durationMs url waveformUrl peaks(count: 50) }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UploadSound($input: UploadAudioInput!) {\n    uploadAudio(input: $input) {\n      isDuplicate\n      audio { id title artist filename status version mimeType sizeBytes sha256 durationMs url uploadedBy { name } }\n    }\n  }\n"): (typeof documents)["\n  mutation UploadSound($input: UploadAudioInput!) {\n    uploadAudio(input: $input) {\n      isDuplicate\n      audio { id title artist filename status version mimeType sizeBytes sha256 durationMs url uploadedBy { name } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReadAudio($id: ID!, $count: Int) {\n    audio(id: $id) {\n      id title artist album filename status version mimeType sizeBytes sha256 durationMs failure progress attempts\n      loudnessLufs truePeakDb leadingSilenceMs trailingSilenceMs url coverUrl waveformUrl peaks(count: $count)\n      category { name } event { name } uploadedBy { name } uploadedAt updatedAt processedAt\n    }\n  }\n"): (typeof documents)["\n  query ReadAudio($id: ID!, $count: Int) {\n    audio(id: $id) {\n      id title artist album filename status version mimeType sizeBytes sha256 durationMs failure progress attempts\n      loudnessLufs truePeakDb leadingSilenceMs trailingSilenceMs url coverUrl waveformUrl peaks(count: $count)\n      category { name } event { name } uploadedBy { name } uploadedAt updatedAt processedAt\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateSound($input: UpdateAudioInput!) {\n    updateAudio(input: $input) { audio { version title artist album category { name } event { name } } }\n  }\n"): (typeof documents)["\n  mutation UpdateSound($input: UpdateAudioInput!) {\n    updateAudio(input: $input) { audio { version title artist album category { name } event { name } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteSound($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { deletedId }\n  }\n"): (typeof documents)["\n  mutation DeleteSound($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { deletedId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ReprocessSound($input: ReprocessAudioInput!) {\n    reprocessAudio(input: $input) { audio { status version durationMs } }\n  }\n"): (typeof documents)["\n  mutation ReprocessSound($input: ReprocessAudioInput!) {\n    reprocessAudio(input: $input) { audio { status version durationMs } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ListSounds($filter: AudioFilter, $orderBy: AudioOrder, $first: Int) {\n    audios(filter: $filter, orderBy: $orderBy, first: $first) { totalCount nodes { title } }\n  }\n"): (typeof documents)["\n  query ListSounds($filter: AudioFilter, $orderBy: AudioOrder, $first: Int) {\n    audios(filter: $filter, orderBy: $orderBy, first: $first) { totalCount nodes { title } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation MakeCategory { createCategory(input: { name: \"Music\" }) { category { id } } }"): (typeof documents)["mutation MakeCategory { createCategory(input: { name: \"Music\" }) { category { id } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation MakeEvent { createEvent(input: { name: \"Opening\" }) { event { id } } }"): (typeof documents)["mutation MakeEvent { createEvent(input: { name: \"Opening\" }) { event { id } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UploadForPlaylist($input: UploadAudioInput!) {\n    uploadAudio(input: $input) { audio { id } }\n  }\n"): (typeof documents)["\n  mutation UploadForPlaylist($input: UploadAudioInput!) {\n    uploadAudio(input: $input) { audio { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ReprocessInPlaylist($id: ID!) { reprocessAudio(input: { id: $id }) { audio { status } } }\n"): (typeof documents)["\n  mutation ReprocessInPlaylist($id: ID!) { reprocessAudio(input: { id: $id }) { audio { status } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteFromPlaylist($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { deletedId movedSchedules { id version startsAt endsAt } }\n  }\n"): (typeof documents)["\n  mutation DeleteFromPlaylist($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { deletedId movedSchedules { id version startsAt endsAt } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReadInPlaylist($id: ID!) { audio(id: $id) { version status failure durationMs attempts } }\n"): (typeof documents)["\n  query ReadInPlaylist($id: ID!) { audio(id: $id) { version status failure durationMs attempts } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation MakePlaylistOfAudio($name: String!, $audioIds: [ID!]) {\n    createPlaylist(input: { name: $name, audioIds: $audioIds }) { playlist { id } }\n  }\n"): (typeof documents)["\n  mutation MakePlaylistOfAudio($name: String!, $audioIds: [ID!]) {\n    createPlaylist(input: { name: $name, audioIds: $audioIds }) { playlist { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ScheduleAudio($playlistId: ID!, $channel: String!, $startsAt: DateTime!) {\n    createSchedule(input: { playlistId: $playlistId, channel: $channel, startsAt: $startsAt }) { schedule { id version } }\n  }\n"): (typeof documents)["\n  mutation ScheduleAudio($playlistId: ID!, $channel: String!, $startsAt: DateTime!) {\n    createSchedule(input: { playlistId: $playlistId, channel: $channel, startsAt: $startsAt }) { schedule { id version } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation MoveScheduleAway($input: UpdateScheduleInput!) { updateSchedule(input: $input) { schedule { version } } }\n"): (typeof documents)["\n  mutation MoveScheduleAway($input: UpdateScheduleInput!) { updateSchedule(input: $input) { schedule { version } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReadPlaylistOfAudio($id: ID!) {\n    playlist(id: $id) { version trackCount durationMs schedules { nodes { id version startsAt endsAt } } }\n  }\n"): (typeof documents)["\n  query ReadPlaylistOfAudio($id: ID!) {\n    playlist(id: $id) { version trackCount durationMs schedules { nodes { id version startsAt endsAt } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      mutation AddDeletedAudio($playlistId: ID!, $id: ID!) {\n        addTracks(input: { playlistId: $playlistId, audioIds: [$id] }) { playlist { version } }\n      }\n    "): (typeof documents)["\n      mutation AddDeletedAudio($playlistId: ID!, $id: ID!) {\n        addTracks(input: { playlistId: $playlistId, audioIds: [$id] }) { playlist { version } }\n      }\n    "];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateCategory($name: String!) {\n    createCategory(input: { name: $name }) { category { id name version } }\n  }\n"): (typeof documents)["\n  mutation CreateCategory($name: String!) {\n    createCategory(input: { name: $name }) { category { id name version } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateCategory($input: UpdateCategoryInput!) {\n    updateCategory(input: $input) { category { name version } }\n  }\n"): (typeof documents)["\n  mutation UpdateCategory($input: UpdateCategoryInput!) {\n    updateCategory(input: $input) { category { name version } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteCategory($input: DeleteCategoryInput!) {\n    deleteCategory(input: $input) { deletedId }\n  }\n"): (typeof documents)["\n  mutation DeleteCategory($input: DeleteCategoryInput!) {\n    deleteCategory(input: $input) { deletedId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Categories { categories { id name version } }\n"): (typeof documents)["\n  query Categories { categories { id name version } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateBadInput($input: CreateDocumentInput!) {\n    createDocument(input: $input) { isDuplicate document { id title text sizeBytes } }\n  }\n"): (typeof documents)["\n  mutation CreateBadInput($input: CreateDocumentInput!) {\n    createDocument(input: $input) { isDuplicate document { id title text sizeBytes } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateBadInput($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { version } }\n  }\n"): (typeof documents)["\n  mutation UpdateBadInput($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { version } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteBadInput($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n"): (typeof documents)["\n  mutation DeleteBadInput($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ReprocessBadInput($input: ReprocessDocumentInput!) {\n    reprocessDocument(input: $input) { document { status version } }\n  }\n"): (typeof documents)["\n  mutation ReprocessBadInput($input: ReprocessDocumentInput!) {\n    reprocessDocument(input: $input) { document { status version } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SignUpBadInput($input: SignUpInput!) {\n    signUp(input: $input) { user { id } }\n  }\n"): (typeof documents)["\n  mutation SignUpBadInput($input: SignUpInput!) {\n    signUp(input: $input) { user { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SignInBadInput($input: SignInInput!) {\n    signIn(input: $input) { user { id } }\n  }\n"): (typeof documents)["\n  mutation SignInBadInput($input: SignInInput!) {\n    signIn(input: $input) { user { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query DocumentsOfBadInput(\n    $first: Int\n    $after: String\n    $last: Int\n    $before: String\n    $orderBy: DocumentOrder\n    $filter: DocumentFilter\n  ) {\n    documents(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {\n      edges { cursor node { title } }\n    }\n  }\n"): (typeof documents)["\n  query DocumentsOfBadInput(\n    $first: Int\n    $after: String\n    $last: Int\n    $before: String\n    $orderBy: DocumentOrder\n    $filter: DocumentFilter\n  ) {\n    documents(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {\n      edges { cursor node { title } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query UsersOfBadInput($first: Int, $after: String, $search: String) {\n    users(first: $first, after: $after, search: $search) { nodes { id } }\n  }\n"): (typeof documents)["\n  query UsersOfBadInput($first: Int, $after: String, $search: String) {\n    users(first: $first, after: $after, search: $search) { nodes { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query DocumentOfBadInput($id: ID!) {\n    document(id: $id) { id }\n  }\n"): (typeof documents)["\n  query DocumentOfBadInput($id: ID!) {\n    document(id: $id) { id }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ChunksOfBadInput($id: ID!, $first: Int) {\n    document(id: $id) { chunks(first: $first) { totalCount } }\n  }\n"): (typeof documents)["\n  query ChunksOfBadInput($id: ID!, $first: Int) {\n    document(id: $id) { chunks(first: $first) { totalCount } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query NodeOfBadInput($id: ID!) {\n    node(id: $id) { id }\n  }\n"): (typeof documents)["\n  query NodeOfBadInput($id: ID!) {\n    node(id: $id) { id }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query NodesOfBadInput($ids: [ID!]!) {\n    nodes(ids: $ids) { id }\n  }\n"): (typeof documents)["\n  query NodesOfBadInput($ids: [ID!]!) {\n    nodes(ids: $ids) { id }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SearchOfBadInput($query: String!, $documentIds: [ID!]) {\n    searchChunks(query: $query, documentIds: $documentIds) { totalCount }\n  }\n"): (typeof documents)["\n  query SearchOfBadInput($query: String!, $documentIds: [ID!]) {\n    searchChunks(query: $query, documentIds: $documentIds) { totalCount }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ConflictReprocess($id: ID!) {\n    reprocessDocument(input: { id: $id }) { document { id } }\n  }\n"): (typeof documents)["\n  mutation ConflictReprocess($id: ID!) {\n    reprocessDocument(input: { id: $id }) { document { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ConflictRename($id: ID!, $version: Int!) {\n    updateDocument(input: { id: $id, expectedVersion: $version, title: \"Another title\" }) { document { id } }\n  }\n"): (typeof documents)["\n  mutation ConflictRename($id: ID!, $version: Int!) {\n    updateDocument(input: { id: $id, expectedVersion: $version, title: \"Another title\" }) { document { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReadDocument($id: ID!, $first: Int, $after: String) {\n    document(id: $id) {\n      title\n      status\n      version\n      progress\n      attempts\n      mimeType\n      sizeBytes\n      processedAt\n      text\n      chunks(first: $first, after: $after) {\n        totalCount\n        nodes { index text startOffset endOffset tokenCount }\n        pageInfo { hasNextPage hasPreviousPage endCursor }\n      }\n    }\n  }\n"): (typeof documents)["\n  query ReadDocument($id: ID!, $first: Int, $after: String) {\n    document(id: $id) {\n      title\n      status\n      version\n      progress\n      attempts\n      mimeType\n      sizeBytes\n      processedAt\n      text\n      chunks(first: $first, after: $after) {\n        totalCount\n        nodes { index text startOffset endOffset tokenCount }\n        pageInfo { hasNextPage hasPreviousPage endCursor }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Search($query: String!, $first: Int, $after: String, $documentIds: [ID!]) {\n    searchChunks(query: $query, first: $first, after: $after, documentIds: $documentIds) {\n      totalCount\n      nodes { score snippet chunk { id index text document { id title } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): (typeof documents)["\n  query Search($query: String!, $first: Int, $after: String, $documentIds: [ID!]) {\n    searchChunks(query: $query, first: $first, after: $after, documentIds: $documentIds) {\n      totalCount\n      nodes { score snippet chunk { id index text document { id title } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Rename($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version updatedAt } }\n  }\n"): (typeof documents)["\n  mutation Rename($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version updatedAt } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Delete($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n"): (typeof documents)["\n  mutation Delete($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateFromSource($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title status version mimeType sizeBytes sha256 visibility owner { id email } }\n    }\n  }\n"): (typeof documents)["\n  mutation CreateFromSource($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title status version mimeType sizeBytes sha256 visibility owner { id email } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReadFormat($id: ID!) {\n    document(id: $id) {\n      title mimeType sizeBytes sha256 status failure attempts text\n      chunks(first: 100) { nodes { text startOffset endOffset } }\n    }\n  }\n"): (typeof documents)["\n  query ReadFormat($id: ID!) {\n    document(id: $id) {\n      title mimeType sizeBytes sha256 status failure attempts text\n      chunks(first: 100) { nodes { text startOffset endOffset } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SearchFormat($query: String!, $documentIds: [ID!]) {\n    searchChunks(query: $query, documentIds: $documentIds) { totalCount }\n  }\n"): (typeof documents)["\n  query SearchFormat($query: String!, $documentIds: [ID!]) {\n    searchChunks(query: $query, documentIds: $documentIds) { totalCount }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ReprocessFormat($id: ID!) {\n    reprocessDocument(input: { id: $id }) { document { id } }\n  }\n"): (typeof documents)["\n  mutation ReprocessFormat($id: ID!) {\n    reprocessDocument(input: { id: $id }) { document { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n    query SmallBesideAFile {\n      viewer { user { name } }\n    }\n  "): (typeof documents)["\n    query SmallBesideAFile {\n      viewer { user { name } }\n    }\n  "];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query OriginalUrl($id: ID!) {\n    document(id: $id) { originalUrl }\n  }\n"): (typeof documents)["\n  query OriginalUrl($id: ID!) {\n    document(id: $id) { originalUrl }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ShareOriginal($id: ID!, $visibility: Visibility!) {\n    updateDocument(input: { id: $id, expectedVersion: 1, visibility: $visibility }) {\n      document { originalUrl }\n    }\n  }\n"): (typeof documents)["\n  mutation ShareOriginal($id: ID!, $visibility: Visibility!) {\n    updateDocument(input: { id: $id, expectedVersion: 1, visibility: $visibility }) {\n      document { originalUrl }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteOriginal($id: ID!) {\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n"): (typeof documents)["\n  mutation DeleteOriginal($id: ID!) {\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateEvent($input: CreateEventInput!) {\n    createEvent(input: $input) { event { id name startsAt endsAt version } }\n  }\n"): (typeof documents)["\n  mutation CreateEvent($input: CreateEventInput!) {\n    createEvent(input: $input) { event { id name startsAt endsAt version } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateEvent($input: UpdateEventInput!) {\n    updateEvent(input: $input) { event { name startsAt endsAt version } }\n  }\n"): (typeof documents)["\n  mutation UpdateEvent($input: UpdateEventInput!) {\n    updateEvent(input: $input) { event { name startsAt endsAt version } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteEvent($input: DeleteEventInput!) {\n    deleteEvent(input: $input) { deletedId }\n  }\n"): (typeof documents)["\n  mutation DeleteEvent($input: DeleteEventInput!) {\n    deleteEvent(input: $input) { deletedId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Events { events { name startsAt endsAt } }\n"): (typeof documents)["\n  query Events { events { name startsAt endsAt } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation MakeChecked($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id } } }"): (typeof documents)["mutation MakeChecked($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation MakeTracks($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id version } } }\n"): (typeof documents)["\n  mutation MakeTracks($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id version } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReadOrder($id: ID!) {\n    playlist(id: $id) { version trackCount durationMs tracks(first: 100) { nodes { id position } } }\n  }\n"): (typeof documents)["\n  query ReadOrder($id: ID!) {\n    playlist(id: $id) { version trackCount durationMs tracks(first: 100) { nodes { id position } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreatePlaylist($input: CreatePlaylistInput!) {\n    createPlaylist(input: $input) { playlist { id name version trackCount durationMs owner { name } } }\n  }\n"): (typeof documents)["\n  mutation CreatePlaylist($input: CreatePlaylistInput!) {\n    createPlaylist(input: $input) { playlist { id name version trackCount durationMs owner { name } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReadPlaylist($id: ID!) {\n    playlist(id: $id) {\n      id name version trackCount durationMs owner { name } createdAt updatedAt\n      tracks(first: 100) { totalCount nodes { id position durationMs audio { title } playlist { id } } }\n    }\n  }\n"): (typeof documents)["\n  query ReadPlaylist($id: ID!) {\n    playlist(id: $id) {\n      id name version trackCount durationMs owner { name } createdAt updatedAt\n      tracks(first: 100) { totalCount nodes { id position durationMs audio { title } playlist { id } } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RenamePlaylist($input: UpdatePlaylistInput!) { updatePlaylist(input: $input) { playlist { name version } } }\n"): (typeof documents)["\n  mutation RenamePlaylist($input: UpdatePlaylistInput!) { updatePlaylist(input: $input) { playlist { name version } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeletePlaylist($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n"): (typeof documents)["\n  mutation DeletePlaylist($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CopyPlaylist($input: CopyPlaylistInput!) {\n    copyPlaylist(input: $input) { playlist { id name version trackCount durationMs owner { name } } }\n  }\n"): (typeof documents)["\n  mutation CopyPlaylist($input: CopyPlaylistInput!) {\n    copyPlaylist(input: $input) { playlist { id name version trackCount durationMs owner { name } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation AddTracks($input: AddTracksInput!) {\n    addTracks(input: $input) {\n      playlist { version trackCount durationMs }\n      tracks { id position durationMs audio { title } }\n    }\n  }\n"): (typeof documents)["\n  mutation AddTracks($input: AddTracksInput!) {\n    addTracks(input: $input) {\n      playlist { version trackCount durationMs }\n      tracks { id position durationMs audio { title } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation MoveTrack($input: MoveTrackInput!) {\n    moveTrack(input: $input) { playlist { version durationMs } track { id position } }\n  }\n"): (typeof documents)["\n  mutation MoveTrack($input: MoveTrackInput!) {\n    moveTrack(input: $input) { playlist { version durationMs } track { id position } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation MoveTracks($input: MoveTracksInput!) {\n    moveTracks(input: $input) { playlist { version } tracks { id position } }\n  }\n"): (typeof documents)["\n  mutation MoveTracks($input: MoveTracksInput!) {\n    moveTracks(input: $input) { playlist { version } tracks { id position } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RemoveTrack($input: RemoveTrackInput!) {\n    removeTrack(input: $input) { playlist { version trackCount durationMs } removedTrackId }\n  }\n"): (typeof documents)["\n  mutation RemoveTrack($input: RemoveTrackInput!) {\n    removeTrack(input: $input) { playlist { version trackCount durationMs } removedTrackId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ListPlaylists($search: String, $orderBy: PlaylistOrder) {\n    playlists(search: $search, orderBy: $orderBy) { totalCount nodes { name } }\n  }\n"): (typeof documents)["\n  query ListPlaylists($search: String, $orderBy: PlaylistOrder) {\n    playlists(search: $search, orderBy: $orderBy) { totalCount nodes { name } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation AddMany($input: AddTracksInput!) { addTracks(input: $input) { playlist { trackCount } } }"): (typeof documents)["mutation AddMany($input: AddTracksInput!) { addTracks(input: $input) { playlist { trackCount } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n        query PlaylistsOf($userId: ID!, $audioId: ID!) {\n          user(id: $userId) { playlists(orderBy: { field: NAME, direction: DESC }) { totalCount nodes { name } } }\n          audio(id: $audioId) { playlists { totalCount nodes { name } } }\n        }\n      "): (typeof documents)["\n        query PlaylistsOf($userId: ID!, $audioId: ID!) {\n          user(id: $userId) { playlists(orderBy: { field: NAME, direction: DESC }) { totalCount nodes { name } } }\n          audio(id: $audioId) { playlists { totalCount nodes { name } } }\n        }\n      "];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UploadForChannel($input: UploadAudioInput!) { uploadAudio(input: $input) { audio { id } } }\n"): (typeof documents)["\n  mutation UploadForChannel($input: UploadAudioInput!) { uploadAudio(input: $input) { audio { id } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateForChannel($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id } } }\n"): (typeof documents)["\n  mutation CreateForChannel($input: CreatePlaylistInput!) { createPlaylist(input: $input) { playlist { id } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation AddForChannel($input: AddTracksInput!) { addTracks(input: $input) { playlist { version } } }\n"): (typeof documents)["\n  mutation AddForChannel($input: AddTracksInput!) { addTracks(input: $input) { playlist { version } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ScheduleOnChannel($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } } }\n"): (typeof documents)["\n  mutation ScheduleOnChannel($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ChannelUrl($channel: String!) { channelUrl(channel: $channel) }\n"): (typeof documents)["\n  query ChannelUrl($channel: String!) { channelUrl(channel: $channel) }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query PlayingOnChannel($channel: String!) { nowPlaying(channel: $channel) { track { audio { title url } } } }\n"): (typeof documents)["\n  query PlayingOnChannel($channel: String!) { nowPlaying(channel: $channel) { track { audio { title url } } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query NowPlaying($channel: String!) {\n    nowPlaying(channel: $channel) {\n      offsetMs trackStartsAt trackEndsAt\n      track { position durationMs audio { title } playlist { name } }\n      schedule { id channel startsAt endsAt }\n    }\n  }\n"): (typeof documents)["\n  query NowPlaying($channel: String!) {\n    nowPlaying(channel: $channel) {\n      offsetMs trackStartsAt trackEndsAt\n      track { position durationMs audio { title } playlist { name } }\n      schedule { id channel startsAt endsAt }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SchedulePlaying($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id endsAt } } }\n"): (typeof documents)["\n  mutation SchedulePlaying($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id endsAt } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query TracksPlaying($id: ID!) { playlist(id: $id) { tracks { nodes { id audio { id title } } } } }\n"): (typeof documents)["\n  query TracksPlaying($id: ID!) { playlist(id: $id) { tracks { nodes { id audio { id title } } } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation AddWhilePlaying($input: AddTracksInput!) {\n    addTracks(input: $input) { movedSchedules { id channel endsAt version playlist { durationMs } } }\n  }\n"): (typeof documents)["\n  mutation AddWhilePlaying($input: AddTracksInput!) {\n    addTracks(input: $input) { movedSchedules { id channel endsAt version playlist { durationMs } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ScheduleAndAdd($past: CreateScheduleInput!, $future: CreateScheduleInput!, $tracks: AddTracksInput!) {\n    past: createSchedule(input: $past) { schedule { id } }\n    future: createSchedule(input: $future) { schedule { id } }\n    addTracks(input: $tracks) { movedSchedules { id startsAt endsAt } }\n  }\n"): (typeof documents)["\n  mutation ScheduleAndAdd($past: CreateScheduleInput!, $future: CreateScheduleInput!, $tracks: AddTracksInput!) {\n    past: createSchedule(input: $past) { schedule { id } }\n    future: createSchedule(input: $future) { schedule { id } }\n    addTracks(input: $tracks) { movedSchedules { id startsAt endsAt } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RemoveWhilePlaying($input: RemoveTrackInput!) {\n    removeTrack(input: $input) { movedSchedules { id endsAt } }\n  }\n"): (typeof documents)["\n  mutation RemoveWhilePlaying($input: RemoveTrackInput!) {\n    removeTrack(input: $input) { movedSchedules { id endsAt } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteWhilePlaying($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { movedSchedules { id endsAt } }\n  }\n"): (typeof documents)["\n  mutation DeleteWhilePlaying($input: DeleteAudioInput!) {\n    deleteAudio(input: $input) { movedSchedules { id endsAt } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeletePlaying($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n"): (typeof documents)["\n  mutation DeletePlaying($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateSchedule($input: CreateScheduleInput!) {\n    createSchedule(input: $input) {\n      schedule { id channel startsAt endsAt version isMoved seriesDay playlist { name } series { id } }\n    }\n  }\n"): (typeof documents)["\n  mutation CreateSchedule($input: CreateScheduleInput!) {\n    createSchedule(input: $input) {\n      schedule { id channel startsAt endsAt version isMoved seriesDay playlist { name } series { id } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateSchedule($input: UpdateScheduleInput!) {\n    updateSchedule(input: $input) { schedule { channel startsAt endsAt version isMoved playlist { name } } }\n  }\n"): (typeof documents)["\n  mutation UpdateSchedule($input: UpdateScheduleInput!) {\n    updateSchedule(input: $input) { schedule { channel startsAt endsAt version isMoved playlist { name } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteSchedule($input: DeleteScheduleInput!) { deleteSchedule(input: $input) { deletedId } }\n"): (typeof documents)["\n  mutation DeleteSchedule($input: DeleteScheduleInput!) { deleteSchedule(input: $input) { deletedId } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReadSchedule($id: ID!) { schedule(id: $id) { startsAt endsAt version } }\n"): (typeof documents)["\n  query ReadSchedule($id: ID!) { schedule(id: $id) { startsAt endsAt version } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ListSchedules($channel: String, $from: DateTime, $to: DateTime, $first: Int, $after: String) {\n    schedules(channel: $channel, from: $from, to: $to, first: $first, after: $after) {\n      totalCount\n      nodes { startsAt playlist { name } }\n      pageInfo { endCursor hasNextPage }\n    }\n  }\n"): (typeof documents)["\n  query ListSchedules($channel: String, $from: DateTime, $to: DateTime, $first: Int, $after: String) {\n    schedules(channel: $channel, from: $from, to: $to, first: $first, after: $after) {\n      totalCount\n      nodes { startsAt playlist { name } }\n      pageInfo { endCursor hasNextPage }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SchedulesOfPlaylist($id: ID!, $from: DateTime) {\n    playlist(id: $id) { schedules(from: $from) { nodes { channel startsAt } } }\n  }\n"): (typeof documents)["\n  query SchedulesOfPlaylist($id: ID!, $from: DateTime) {\n    playlist(id: $id) { schedules(from: $from) { nodes { channel startsAt } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateSeries($input: CreateScheduleInput!) {\n    createSchedule(input: $input) {\n      schedule { id startsAt endsAt seriesDay isMoved version series { ...Series } }\n    }\n  }\n  fragment Series on ScheduleSeries {\n    id channel timeZone startTime weekdays everyWeeks firstDay lastDay skippedDays blockedDays placedUntil version\n    playlist { name }\n  }\n"): (typeof documents)["\n  mutation CreateSeries($input: CreateScheduleInput!) {\n    createSchedule(input: $input) {\n      schedule { id startsAt endsAt seriesDay isMoved version series { ...Series } }\n    }\n  }\n  fragment Series on ScheduleSeries {\n    id channel timeZone startTime weekdays everyWeeks firstDay lastDay skippedDays blockedDays placedUntil version\n    playlist { name }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReadSeries($id: ID!, $from: DateTime, $first: Int) {\n    scheduleSeries(id: $id) {\n      ...Series\n      schedules(from: $from, first: $first) {\n        totalCount\n        nodes { id channel startsAt endsAt seriesDay isMoved version }\n      }\n    }\n  }\n"): (typeof documents)["\n  query ReadSeries($id: ID!, $from: DateTime, $first: Int) {\n    scheduleSeries(id: $id) {\n      ...Series\n      schedules(from: $from, first: $first) {\n        totalCount\n        nodes { id channel startsAt endsAt seriesDay isMoved version }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateSeries($input: UpdateScheduleSeriesInput!) {\n    updateScheduleSeries(input: $input) { scheduleSeries { ...Series } }\n  }\n"): (typeof documents)["\n  mutation UpdateSeries($input: UpdateScheduleSeriesInput!) {\n    updateScheduleSeries(input: $input) { scheduleSeries { ...Series } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteSeries($input: DeleteScheduleSeriesInput!) { deleteScheduleSeries(input: $input) { deletedId } }\n"): (typeof documents)["\n  mutation DeleteSeries($input: DeleteScheduleSeriesInput!) { deleteScheduleSeries(input: $input) { deletedId } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation MoveOccurrence($input: UpdateScheduleInput!) {\n    updateSchedule(input: $input) { schedule { startsAt endsAt isMoved version seriesDay } }\n  }\n"): (typeof documents)["\n  mutation MoveOccurrence($input: UpdateScheduleInput!) {\n    updateSchedule(input: $input) { schedule { startsAt endsAt isMoved version seriesDay } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SkipOccurrence($input: DeleteScheduleInput!) { deleteSchedule(input: $input) { deletedId } }\n"): (typeof documents)["\n  mutation SkipOccurrence($input: DeleteScheduleInput!) { deleteSchedule(input: $input) { deletedId } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeletePlaylistOfSeries($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n"): (typeof documents)["\n  mutation DeletePlaylistOfSeries($input: DeletePlaylistInput!) { deletePlaylist(input: $input) { deletedId } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SeriesOfPlaylist($id: ID!) { playlist(id: $id) { series { totalCount nodes { firstDay } } } }\n"): (typeof documents)["\n  query SeriesOfPlaylist($id: ID!) { playlist(id: $id) { series { totalCount nodes { firstDay } } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateAtOnce($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id version } } }\n"): (typeof documents)["\n  mutation CreateAtOnce($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id version } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation MoveAtOnce($input: UpdateScheduleInput!) { updateSchedule(input: $input) { schedule { version } } }\n"): (typeof documents)["\n  mutation MoveAtOnce($input: UpdateScheduleInput!) { updateSchedule(input: $input) { schedule { version } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation AddAtOnce($input: AddTracksInput!) { addTracks(input: $input) { movedSchedules { id } } }\n"): (typeof documents)["\n  mutation AddAtOnce($input: AddTracksInput!) { addTracks(input: $input) { movedSchedules { id } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ChangeAtOnce($input: UpdateScheduleSeriesInput!) {\n    updateScheduleSeries(input: $input) { scheduleSeries { version } }\n  }\n"): (typeof documents)["\n  mutation ChangeAtOnce($input: UpdateScheduleSeriesInput!) {\n    updateScheduleSeries(input: $input) { scheduleSeries { version } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Titles($search: String!) {\n    documents(first: 100, filter: { search: $search }) { nodes { title } }\n    viewer { user { documents(first: 100, filter: { search: $search }) { totalCount } } }\n  }\n"): (typeof documents)["\n  query Titles($search: String!) {\n    documents(first: 100, filter: { search: $search }) { nodes { title } }\n    viewer { user { documents(first: 100, filter: { search: $search }) { totalCount } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Texts($query: String!) {\n    searchChunks(first: 100, query: $query) { nodes { chunk { document { title } } } }\n  }\n"): (typeof documents)["\n  query Texts($query: String!) {\n    searchChunks(first: 100, query: $query) { nodes { chunk { document { title } } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      accessToken\n      refreshToken\n      user { id }\n    }\n  }\n"): (typeof documents)["\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      accessToken\n      refreshToken\n      user { id }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateDocument($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id version }\n    }\n  }\n"): (typeof documents)["\n  mutation CreateDocument($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id version }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Upload($input: CreateDocumentInput!) {\n    createDocument(input: $input) { document { id title } }\n  }\n"): (typeof documents)["\n  mutation Upload($input: CreateDocumentInput!) {\n    createDocument(input: $input) { document { id title } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation LogCreate($title: String!) {\n    createDocument(input: { title: $title, source: { text: $title } }) { document { id } }\n  }\n"): (typeof documents)["\n  mutation LogCreate($title: String!) {\n    createDocument(input: { title: $title, source: { text: $title } }) { document { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation LogDelete($id: ID!) {\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n"): (typeof documents)["\n  mutation LogDelete($id: ID!) {\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RaceIncrement($id: ID!, $version: Int!, $title: String!) {\n    updateDocument(input: { id: $id, expectedVersion: $version, title: $title }) { document { version title } }\n  }\n"): (typeof documents)["\n  mutation RaceIncrement($id: ID!, $version: Int!, $title: String!) {\n    updateDocument(input: { id: $id, expectedVersion: $version, title: $title }) { document { version title } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RaceDemote($id: ID!) {\n    setUserRole(input: { userId: $id, role: VIEWER }) { user { role } }\n  }\n"): (typeof documents)["\n  mutation RaceDemote($id: ID!) {\n    setUserRole(input: { userId: $id, role: VIEWER }) { user { role } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RaceCreate($text: String!) {\n    createDocument(input: { source: { text: $text } }) { isDuplicate document { id } }\n  }\n"): (typeof documents)["\n  mutation RaceCreate($text: String!) {\n    createDocument(input: { source: { text: $text } }) { isDuplicate document { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UnitSteps($create: CreateDocumentInput!, $update: UpdateDocumentInput!, $delete: DeleteDocumentInput!) {\n    a: createDocument(input: $create) { document { id } }\n    b: updateDocument(input: $update) { document { title version } }\n    c: deleteDocument(input: $delete) { deletedId }\n    d: createDocument(input: { source: { text: \"Never reached when c fails.\" } }) { document { id } }\n  }\n"): (typeof documents)["\n  mutation UnitSteps($create: CreateDocumentInput!, $update: UpdateDocumentInput!, $delete: DeleteDocumentInput!) {\n    a: createDocument(input: $create) { document { id } }\n    b: updateDocument(input: $update) { document { title version } }\n    c: deleteDocument(input: $delete) { deletedId }\n    d: createDocument(input: { source: { text: \"Never reached when c fails.\" } }) { document { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UnitCreate($input: CreateDocumentInput!) {\n    createDocument(input: $input) { isDuplicate document { id title version status } }\n  }\n"): (typeof documents)["\n  mutation UnitCreate($input: CreateDocumentInput!) {\n    createDocument(input: $input) { isDuplicate document { id title version status } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UnitCreateAndList($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title version owner { documents(first: 100) { nodes { id } } } }\n    }\n  }\n"): (typeof documents)["\n  mutation UnitCreateAndList($input: CreateDocumentInput!) {\n    createDocument(input: $input) {\n      isDuplicate\n      document { id title version owner { documents(first: 100) { nodes { id } } } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UnitUpdate($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { id title version } }\n  }\n"): (typeof documents)["\n  mutation UnitUpdate($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { id title version } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UnitRefresh($token: String!) {\n    refreshSession(input: { refreshToken: $token }) { accessToken refreshToken }\n  }\n"): (typeof documents)["\n  mutation UnitRefresh($token: String!) {\n    refreshSession(input: { refreshToken: $token }) { accessToken refreshToken }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UnitRefreshAndFail($token: String!, $id: ID!) {\n    refreshSession(input: { refreshToken: $token }) { accessToken }\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n"): (typeof documents)["\n  mutation UnitRefreshAndFail($token: String!, $id: ID!) {\n    refreshSession(input: { refreshToken: $token }) { accessToken }\n    deleteDocument(input: { id: $id }) { deletedId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      mutation UnitDeep {\n        first: createDocument(input: { source: { text: \"The first of two.\" } }) { isDuplicate }\n        second: createDocument(input: { source: { text: \"The second of two.\" } }) {\n          document { owner { documents(first: 100000) { nodes { id } } } }\n        }\n      }\n    "): (typeof documents)["\n      mutation UnitDeep {\n        first: createDocument(input: { source: { text: \"The first of two.\" } }) { isDuplicate }\n        second: createDocument(input: { source: { text: \"The second of two.\" } }) {\n          document { owner { documents(first: 100000) { nodes { id } } } }\n        }\n      }\n    "];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      mutation UnitTwice($first: UpdateDocumentInput!, $second: UpdateDocumentInput!, $id: DeleteDocumentInput!) {\n        first: updateDocument(input: $first) { document { title version owner { documents { totalCount nodes { title } } } } }\n        second: updateDocument(input: $second) { document { title version owner { documents { totalCount nodes { title } } } } }\n        third: deleteDocument(input: $id) { deletedId }\n        fourth: createDocument(input: { source: { text: \"In its place.\" } }) {\n          document { owner { documents { totalCount nodes { title } } } }\n        }\n      }\n    "): (typeof documents)["\n      mutation UnitTwice($first: UpdateDocumentInput!, $second: UpdateDocumentInput!, $id: DeleteDocumentInput!) {\n        first: updateDocument(input: $first) { document { title version owner { documents { totalCount nodes { title } } } } }\n        second: updateDocument(input: $second) { document { title version owner { documents { totalCount nodes { title } } } } }\n        third: deleteDocument(input: $id) { deletedId }\n        fourth: createDocument(input: { source: { text: \"In its place.\" } }) {\n          document { owner { documents { totalCount nodes { title } } } }\n        }\n      }\n    "];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n          mutation UnitAlways($input: CreateDocumentInput!) {\n            fine: createDocument(input: { source: { text: \"Nobody is in the way of this.\" } }) { isDuplicate }\n            never: createDocument(input: $input) { isDuplicate }\n          }\n        "): (typeof documents)["\n          mutation UnitAlways($input: CreateDocumentInput!) {\n            fine: createDocument(input: { source: { text: \"Nobody is in the way of this.\" } }) { isDuplicate }\n            never: createDocument(input: $input) { isDuplicate }\n          }\n        "];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateFromUpload($uploadId: ID!) {\n    createDocument(input: { source: { uploadId: $uploadId } }) {\n      isDuplicate\n      document { id title sha256 }\n    }\n  }\n"): (typeof documents)["\n  mutation CreateFromUpload($uploadId: ID!) {\n    createDocument(input: { source: { uploadId: $uploadId } }) {\n      isDuplicate\n      document { id title sha256 }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SignUpAccount($input: SignUpInput!) {\n    signUp(input: $input) { accessToken refreshToken expiresAt user { id name email role } }\n  }\n"): (typeof documents)["\n  mutation SignUpAccount($input: SignUpInput!) {\n    signUp(input: $input) { accessToken refreshToken expiresAt user { id name email role } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SignInAccount($input: SignInInput!) {\n    signIn(input: $input) { accessToken refreshToken expiresAt user { id name email role } }\n  }\n"): (typeof documents)["\n  mutation SignInAccount($input: SignInInput!) {\n    signIn(input: $input) { accessToken refreshToken expiresAt user { id name email role } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RefreshAccount($input: RefreshSessionInput) {\n    refreshSession(input: $input) { accessToken refreshToken user { id } }\n  }\n"): (typeof documents)["\n  mutation RefreshAccount($input: RefreshSessionInput) {\n    refreshSession(input: $input) { accessToken refreshToken user { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SignOutAccount {\n    signOut { ok }\n  }\n"): (typeof documents)["\n  mutation SignOutAccount {\n    signOut { ok }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query MeAccount {\n    viewer { user { id email role } }\n  }\n"): (typeof documents)["\n  query MeAccount {\n    viewer { user { id email role } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query UserAccount($id: ID!) {\n    user(id: $id) { name email role }\n  }\n"): (typeof documents)["\n  query UserAccount($id: ID!) {\n    user(id: $id) { name email role }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query UsersAccount($first: Int) {\n    users(first: $first) { totalCount nodes { id email } }\n  }\n"): (typeof documents)["\n  query UsersAccount($first: Int) {\n    users(first: $first) { totalCount nodes { id email } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SetRoleAccount($input: SetUserRoleInput!) {\n    setUserRole(input: $input) { user { id role email } }\n  }\n"): (typeof documents)["\n  mutation SetRoleAccount($input: SetUserRoleInput!) {\n    setUserRole(input: $input) { user { id role email } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query LibraryAccount {\n    documents { totalCount nodes { title text owner { name email } } }\n  }\n"): (typeof documents)["\n  query LibraryAccount {\n    documents { totalCount nodes { title text owner { name email } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateAccount($input: CreateDocumentInput!) {\n    createDocument(input: $input) { document { id } }\n  }\n"): (typeof documents)["\n  mutation CreateAccount($input: CreateDocumentInput!) {\n    createDocument(input: $input) { document { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ChunksForVisibility($id: ID!) {\n    document(id: $id) { chunks(first: 100) { nodes { id } } }\n  }\n"): (typeof documents)["\n  query ChunksForVisibility($id: ID!) {\n    document(id: $id) { chunks(first: 100) { nodes { id } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Everywhere($hidden: ID!, $chunk: ID!, $sharedChunk: ID!, $ids: [ID!]!, $owner: ID!) {\n    document(id: $hidden) { title text owner { name } chunks(first: 5) { totalCount } }\n    documents(first: 100, orderBy: { field: TITLE, direction: ASC }) { totalCount nodes { title text } edges { node { title } } }\n    onlyPrivate: documents(filter: { visibility: PRIVATE, ownerId: $owner }) { totalCount nodes { title } }\n    byTitle: documents(filter: { search: \"diary\" }) { totalCount nodes { title } }\n    fromTheEnd: documents(last: 1, orderBy: { field: TITLE, direction: DESC }) { nodes { title } pageInfo { hasPreviousPage } }\n    node(id: $hidden) { ... on Document { title text chunks { totalCount } } }\n    chunk: node(id: $chunk) { ... on Chunk { text document { title } neighbours(before: 10, after: 10) { text } } }\n    sharedChunk: node(id: $sharedChunk) { ... on Chunk { text document { title } } }\n    nodes(ids: $ids) { id }\n    user(id: $owner) {\n      documents(orderBy: { field: TITLE, direction: ASC }) { totalCount nodes { title chunks(first: 5) { totalCount nodes { text } } } }\n    }\n    users(search: \"Ada\") { nodes { documents { totalCount nodes { title text } } } }\n    searchChunks(query: \"zebras\") { totalCount nodes { snippet chunk { document { title } } } }\n    searchInIt: searchChunks(query: \"zebras\", documentIds: [$hidden]) { totalCount nodes { snippet } }\n  }\n"): (typeof documents)["\n  query Everywhere($hidden: ID!, $chunk: ID!, $sharedChunk: ID!, $ids: [ID!]!, $owner: ID!) {\n    document(id: $hidden) { title text owner { name } chunks(first: 5) { totalCount } }\n    documents(first: 100, orderBy: { field: TITLE, direction: ASC }) { totalCount nodes { title text } edges { node { title } } }\n    onlyPrivate: documents(filter: { visibility: PRIVATE, ownerId: $owner }) { totalCount nodes { title } }\n    byTitle: documents(filter: { search: \"diary\" }) { totalCount nodes { title } }\n    fromTheEnd: documents(last: 1, orderBy: { field: TITLE, direction: DESC }) { nodes { title } pageInfo { hasPreviousPage } }\n    node(id: $hidden) { ... on Document { title text chunks { totalCount } } }\n    chunk: node(id: $chunk) { ... on Chunk { text document { title } neighbours(before: 10, after: 10) { text } } }\n    sharedChunk: node(id: $sharedChunk) { ... on Chunk { text document { title } } }\n    nodes(ids: $ids) { id }\n    user(id: $owner) {\n      documents(orderBy: { field: TITLE, direction: ASC }) { totalCount nodes { title chunks(first: 5) { totalCount nodes { text } } } }\n    }\n    users(search: \"Ada\") { nodes { documents { totalCount nodes { title text } } } }\n    searchChunks(query: \"zebras\") { totalCount nodes { snippet chunk { document { title } } } }\n    searchInIt: searchChunks(query: \"zebras\", documentIds: [$hidden]) { totalCount nodes { snippet } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateForVisibility($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version } }\n  }\n"): (typeof documents)["\n  mutation UpdateForVisibility($input: UpdateDocumentInput!) {\n    updateDocument(input: $input) { document { title version } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteForVisibility($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n"): (typeof documents)["\n  mutation DeleteForVisibility($input: DeleteDocumentInput!) {\n    deleteDocument(input: $input) { deletedId }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ReprocessForVisibility($input: ReprocessDocumentInput!) {\n    reprocessDocument(input: $input) { document { status } }\n  }\n"): (typeof documents)["\n  mutation ReprocessForVisibility($input: ReprocessDocumentInput!) {\n    reprocessDocument(input: $input) { document { status } }\n  }\n"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;